/// A verifier's signing keys and what becomes of them: pure, its clock an argument.
///
/// After every call there is exactly one key that signs and one that is published to sign next. A key moves from `next` to `current`
/// only when it was published for the schedule's lead, except when the key before it had to be revoked.
package struct SigningKeyRing: Sendable, Hashable {
    /// Every key that there ever was, the oldest first.
    package private(set) var keys: [SigningKeyRecord]
    /// When the schedule was looked at last, by whatever replica's clock.
    package private(set) var lookedAt: Int64?
    private let schedule: SigningKeySchedule

    /// What happened to a key.
    package struct Event: Sendable, Hashable {
        package let kid: String
        /// The state that it has now.
        package let state: SigningKeyRecord.State

        /// An event.
        package init(kid: String, state: SigningKeyRecord.State) {
            self.kid = kid
            self.state = state
        }
    }

    /// Why nothing was done.
    package enum Refusal: Error, Hashable {
        /// The next key was not published for long enough: it may sign from this time on.
        case tooYoung(kid: String, until: Int64)
        /// There is no such key.
        case unknown
        /// The key is out of the set already.
        case ended
        /// The keys are not one that signs and one to sign next: the database was edited.
        case unsound
    }

    /// Makes a key and says its thumbprint.
    package typealias Maker = () throws -> String

    /// Keys as they are stored. Changes nothing.
    package init(_ keys: [SigningKeyRecord], lookedAt: Int64?, _ schedule: SigningKeySchedule) {
        self.keys = keys
        self.lookedAt = lookedAt
        self.schedule = schedule
    }

    /// The key that signs.
    package var current: SigningKeyRecord? { only(.current) }
    /// The key that signs next.
    package var next: SigningKeyRecord? { only(.next) }
    /// The keys that relying parties see.
    package var published: [SigningKeyRecord] { keys.filter(\.state.isPublished) }

    /// The first keys: one that signs at once, for nobody has a copy of the set yet, and the next.
    ///
    /// - Parameter adopted: A key that signed before there was a ring, and since when.
    package mutating func begin(
        at now: Int64, adopting adopted: (kid: String, since: Int64)? = nil, _ make: Maker
    ) throws -> [Event] {
        guard keys.isEmpty else { throw Refusal.unsound }
        let since = min(adopted?.since ?? now, now)
        let kid = try adopted?.kid ?? make()
        keys = [SigningKeyRecord(kid: kid, state: .current, publishedAt: since, activatedAt: since)]
        return [Event(kid: kid, state: .current), try publishNext(at: now, make)]
    }

    /// Does what is due.
    ///
    /// Nothing is done when the look before was not shortly before or after this one: a clock jumped, or two replicas' differ, and the keys
    /// can wait until two looks agree.
    package mutating func look(at now: Int64, _ make: Maker) throws -> [Event] {
        guard let current, let next else { throw Refusal.unsound }
        guard SigningKeyRecord.times.contains(now) else { return [] }
        let last = lookedAt
        lookedAt = now
        guard let last, abs(now - last) <= SigningKeySchedule.agreement else { return [] }
        repairTimes(at: now)
        var events = retire(at: now)
        if now >= (current.activatedAt ?? now) + schedule.period, now >= next.mayActivate(schedule) {
            events += try turn(at: now, leaving: .retiring, make)
        }
        return events
    }

    /// Lets the next key sign now.
    ///
    /// - Throws: ``Refusal/tooYoung(kid:until:)`` while relying parties may not have it.
    package mutating func rotate(at now: Int64, _ make: Maker) throws -> [Event] {
        guard let next, current != nil else { throw Refusal.unsound }
        guard now >= next.mayActivate(schedule) else {
            throw Refusal.tooYoung(kid: next.kid, until: next.mayActivate(schedule))
        }
        return try turn(at: now, leaving: .retiring, make)
    }

    /// Takes a key out of the set at once. When it is the one that signs, the next signs at once, however young.
    package mutating func revoke(_ kid: String, at now: Int64, _ make: Maker) throws -> [Event] {
        guard current != nil, next != nil else { throw Refusal.unsound }
        guard let index = keys.firstIndex(where: { $0.kid == kid }) else { throw Refusal.unknown }
        switch keys[index].state {
        case .current: return try turn(at: now, leaving: .revoked, make)
        case .next:
            end(index, .revoked, at: now)
            return [Event(kid: kid, state: .revoked), try publishNext(at: now, make)]
        case .retiring:
            end(index, .revoked, at: now)
            return [Event(kid: kid, state: .revoked)]
        case .retired, .revoked: throw Refusal.ended
        }
    }

    private func only(_ state: SigningKeyRecord.State) -> SigningKeyRecord? {
        let found = keys.filter { $0.state == state }
        return found.count == 1 ? found.first : nil
    }

    /// The next key takes the place of the current one, and another becomes the next.
    private mutating func turn(
        at now: Int64, leaving state: SigningKeyRecord.State, _ make: Maker
    ) throws -> [Event] {
        var events: [Event] = []
        for index in keys.indices {
            switch keys[index].state {
            case .current where state == .revoked: end(index, .revoked, at: now)
            case .current:
                keys[index].state = .retiring
                keys[index].retiringAt = now
            case .next:
                keys[index].state = .current
                keys[index].activatedAt = now
            case .retiring, .retired, .revoked: continue
            }
            events.append(Event(kid: keys[index].kid, state: keys[index].state))
        }
        return events + [try publishNext(at: now, make)]
    }

    private mutating func publishNext(at now: Int64, _ make: Maker) throws -> Event {
        let kid = try make()
        keys.append(SigningKeyRecord(kid: kid, state: .next, publishedAt: now))
        return Event(kid: kid, state: .next)
    }

    private mutating func retire(at now: Int64) -> [Event] {
        var events: [Event] = []
        for index in keys.indices {
            guard let until = keys[index].publishedUntil, now > until else { continue }
            end(index, .retired, at: now)
            events.append(Event(kid: keys[index].kid, state: .retired))
        }
        return events
    }

    private mutating func end(_ index: Int, _ state: SigningKeyRecord.State, at now: Int64) {
        keys[index].state = state
        keys[index].endedAt = now
    }

    /// What a clock that was ahead has written would stop the keys for as long: such times begin anew now, so that no lead and no hold
    /// becomes shorter.
    private mutating func repairTimes(at now: Int64) {
        let latest = now + SigningKeySchedule.margin
        for index in keys.indices where keys[index].state.isPublished {
            if keys[index].publishedAt > latest { keys[index].publishedAt = now }
            if let time = keys[index].activatedAt, time > latest { keys[index].activatedAt = now }
            if let time = keys[index].retiringAt, time > latest { keys[index].retiringAt = now }
        }
    }
}

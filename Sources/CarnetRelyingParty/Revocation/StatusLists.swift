public import CarnetResult

/// An issuer's status lists, each checked when it was added: what a ``PassportVerifier`` looks passports up in, offline.
///
/// A value: give the verifier a new one after a refresh. A list of 10 million entries takes 1.25 MB for each bit of its width; a look-up
/// costs the same for every size. The value may be used by many threads at once.
public struct StatusLists: Sendable {
    private let keySet: JSONWebKeySet?
    private var lists: [String: Entry] = [:]

    /// Where the lists came from, which is where newer ones come from.
    var source = Source.issuer

    enum Source: Sendable, Hashable { case issuer, bundle }

    /// A list, and under which name the issuer's set had the key that signed it.
    private struct Entry {
        let token: StatusListToken
        let keyID: String
    }

    /// The most lists that are held.
    public static let maximumListCount = 256
    /// The most memory that all lists may take, in bytes.
    public static let maximumByteCount = 256 << 20

    /// No list: every passport that refers to one is refused.
    public static let none = StatusLists()

    private init(_ keySet: JSONWebKeySet? = nil) { self.keySet = keySet }

    /// The lists in `tokens`, signed by an issuer's keys.
    ///
    /// - Parameters:
    ///   - tokens: Status List Tokens, compact JWS in ASCII. Of several with one name the newest counts.
    ///   - keySet: The keys of the issuer whose passports refer to the lists, got over a channel that the relying party trusts.
    /// - Throws: ``CarnetResult/StatusListError`` for the first that cannot be used.
    public init(_ tokens: [[UInt8]] = [], keySet: JSONWebKeySet) throws(StatusListError) {
        self.keySet = keySet
        for token in tokens { try add(token) }
    }

    /// Adds a list, or replaces an older one of the same name. When it throws, everything is as it was: the last good list stays.
    ///
    /// - Parameters:
    ///   - name: The name under which the list was asked for; another list in its place is refused. `nil` takes any.
    ///   - now: Seconds since 1970, where the clock is at hand: then a list from the future is refused, and one that is held gives way.
    /// - Returns: Whether it was taken: a list that is older than the one at hand is not, nor one of the same second that takes a
    ///   withdrawal back.
    @discardableResult
    public mutating func add(
        _ token: [UInt8], named name: String? = nil, at now: Int64? = nil
    ) throws(StatusListError) -> Bool {
        guard let keySet else { throw StatusListError(.unknownKey, "there are no keys to check a list with") }
        let unverified = try UnverifiedStatusListToken(parsing: token)
        let new = try unverified.verified(by: keySet)
        if let name, name != new.uri { throw StatusListError(.claims, "this is the list \(new.uri), not \(name)") }
        if let now, new.issuedAt > now + Self.clockSkew {
            throw StatusListError(.claims, "the list was issued \(new.issuedAt - now) seconds from now")
        }
        return try take(Entry(token: new, keyID: unverified.keyID), at: now)
    }

    /// How far an issuer's clock may be ahead, in seconds.
    private static let clockSkew: Int64 = 60

    private mutating func take(_ entry: Entry, at now: Int64?) throws(StatusListError) -> Bool {
        let new = entry.token
        if let held = lists[new.uri]?.token, now.map({ held.issuedAt <= $0 + Self.clockSkew }) ?? true {
            if held.issuedAt > new.issuedAt { return false }
            if held.issuedAt == new.issuedAt, held.list.isTakenBack(by: new.list) { return false }
        }
        let others = lists.values.lazy.filter { $0.token.uri != new.uri }.reduce(0) { $0 + $1.token.list.bytes.count }
        guard others + new.list.bytes.count <= Self.maximumByteCount,
            lists[new.uri] != nil || lists.count < Self.maximumListCount
        else {
            throw StatusListError(.tooLarge, "more lists than \(Self.maximumListCount), or more bytes than are held")
        }
        lists[new.uri] = entry
        return true
    }

    /// The lists under other keys of the issuer: those stay that a key signed which is still the same.
    func trusting(_ keySet: JSONWebKeySet) -> StatusLists {
        var next = StatusLists(keySet)
        next.source = source
        next.lists = lists.filter { entry in
            let keyID = entry.value.keyID
            guard let key = keySet.verificationKeys[keyID] else { return false }
            return key == self.keySet?.verificationKeys[keyID]
        }
        return next
    }

    /// Takes what others hold that is newer, as far as this issuer's keys signed it. What does not fit is left out.
    mutating func take(newerOf others: StatusLists) {
        guard let keySet else { return }
        for entry in others.trusting(keySet).lists.values { _ = try? take(entry, at: nil) }
    }

    /// Forgets the lists that have expired, also what they say against passports that ``RevocationExpectation/whereListed(maximumStaleness:)``
    /// would still refuse.
    public mutating func removeExpired(at now: Int64) {
        lists = lists.filter { $0.value.token.expiresAt.map { now < $0 } ?? true }
    }

    /// The lists by their names.
    public var held: [Held] {
        lists.values.map(\.token).sorted { $0.uri < $1.uri }.map { list in
            Held(
                uri: list.uri, issuedAt: list.issuedAt, expiresAt: list.expiresAt,
                refreshAt: list.timeToLive.map { list.issuedAt + $0 }, count: list.list.count)
        }
    }

    /// One list that is held.
    public struct Held: Sendable, Hashable {
        public let uri: String
        /// Seconds since 1970.
        public let issuedAt: Int64
        /// Seconds since 1970, if the list ends.
        public let expiresAt: Int64?
        /// When to fetch a newer one, in seconds since 1970, if the issuer says so.
        public let refreshAt: Int64?
        /// How many entries it has.
        public let count: Int
    }

    /// The list with a name.
    func list(named uri: String) -> StatusListToken? { lists[uri]?.token }
}

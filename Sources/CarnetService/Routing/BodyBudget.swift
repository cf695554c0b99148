import Synchronization

/// How many bytes of bodies may be in memory at once, for all requests together. Only bytes that arrived are counted, so
/// that announcing many costs a caller as much as it costs the service.
///
/// A quarter is a reserve from which only the beginnings of bodies are taken, as much as an ordinary body has: however many large
/// ones fill the rest, ordinary ones are read. One client has a sixteenth of the reserve and of the whole, so that it takes sixteen
/// to fill either; one body of it may grow beyond that share. Of the rest, callers without a credential
/// have two thirds together, so that they never shut out the operators. Who has a credential has a quarter of the whole.
final class BodyBudget: Sendable {
    private let limit: Int
    private let ordinaryByteCount: Int
    private let state = Mutex(State())

    private struct State {
        /// Bytes out of the reserve.
        var reserved = 0
        /// All others.
        var others = 0
        /// Those among the others that callers without a credential have.
        var anonymous = 0
        var clients: [RateKey: Holding] = [:]
    }

    /// What one client has.
    private struct Holding {
        var reserved = 0
        /// But those of the one body that may be larger than its share.
        var others = 0
        var hasOversized = false

        var isNothing: Bool { reserved == 0 && others == 0 && !hasOversized }
    }

    /// A budget of `limit` bytes.
    ///
    /// - Parameter ordinaryByteCount: How much of each body may come out of the reserve.
    init(_ limit: Int, ordinaryByteCount: Int) {
        self.limit = limit
        self.ordinaryByteCount = ordinaryByteCount
    }

    /// Who takes bytes.
    struct Taker: Sendable, Hashable {
        /// The client: its address, or its credential.
        let client: RateKey
        /// Whether a credential was shown.
        let isKnown: Bool
    }

    /// What one body has taken.
    struct Taken: Sendable, Hashable {
        fileprivate var reserved = 0
        fileprivate var others = 0
        fileprivate var isOversized = false

        /// How many bytes.
        var count: Int { reserved + others }
    }

    /// Counts bytes of a body that arrived; `false` when there is no room for them. Nothing is counted then.
    func take(_ count: Int, by taker: Taker, _ taken: inout Taken) -> Bool {
        state.withLock { state in
            var client = state.clients[taker.client] ?? Holding()
            let beginning = max(0, min(count, ordinaryByteCount - taken.count))
            let isRoom = beginning <= min(limit / 4 - state.reserved, limit / 64 - client.reserved)
            let reserved = isRoom ? beginning : 0, others = count - reserved
            guard others <= limit - limit / 4 - state.others else { return false }
            guard taker.isKnown || others <= limit / 2 - state.anonymous else { return false }
            if !taken.isOversized {
                let share = taker.isKnown ? limit / 4 : limit / 16
                if others > share - client.reserved - reserved - client.others {
                    guard taken.count + count > ordinaryByteCount, !client.hasOversized else { return false }
                    client.hasOversized = true
                    client.others -= taken.others
                    taken.isOversized = true
                } else {
                    client.others += others
                }
            }
            client.reserved += reserved
            taken.reserved += reserved
            taken.others += others
            state.reserved += reserved
            state.others += others
            if !taker.isKnown { state.anonymous += others }
            state.clients[taker.client] = client
            return true
        }
    }

    /// Gives a body's bytes back when its request was answered.
    func giveBack(_ taken: Taken, by taker: Taker) {
        guard taken.count > 0 else { return }
        state.withLock { state in
            state.reserved -= taken.reserved
            state.others -= taken.others
            if !taker.isKnown { state.anonymous -= taken.others }
            guard var client = state.clients[taker.client] else { return }
            client.reserved -= taken.reserved
            if taken.isOversized { client.hasOversized = false } else { client.others -= taken.others }
            state.clients[taker.client] = client.isNothing ? nil : client
        }
    }

    /// Of how many clients something is known.
    var clientCount: Int { state.withLock(\.clients.count) }
}

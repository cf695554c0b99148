import Synchronization

/// How many bytes of bodies may be in memory at once, for all requests together. Only bytes that arrived are counted, so
/// that announcing many costs a caller as much as it costs the service.
///
/// One client gets at most a quarter, and callers without a credential together at most three: whoever fills it does not shut
/// out the others, and never the operators.
final class BodyBudget: Sendable {
    private let limit: Int
    private let state = Mutex(State())

    private struct State {
        var total = 0
        var anonymous = 0
        var peers: [RateKey: Int] = [:]
    }

    init(_ limit: Int) { self.limit = limit }

    /// Who takes bytes.
    struct Taker: Sendable, Hashable {
        /// The client, by its address.
        let peer: RateKey
        /// Whether a credential was shown.
        let isKnown: Bool
    }

    /// Counts bytes that arrived; `false` when there is no room for them.
    func take(_ count: Int, by taker: Taker) -> Bool {
        state.withLock { state in
            guard count <= limit - state.total else { return false }
            if !taker.isKnown {
                guard count <= limit / 4 * 3 - state.anonymous else { return false }
                guard count <= limit / 4 - state.peers[taker.peer, default: 0] else { return false }
                state.anonymous += count
                state.peers[taker.peer, default: 0] += count
            }
            state.total += count
            return true
        }
    }

    /// Gives bytes back when their request was answered.
    func giveBack(_ count: Int, by taker: Taker) {
        guard count > 0 else { return }
        state.withLock { state in
            state.total -= count
            guard !taker.isKnown else { return }
            state.anonymous -= count
            let rest = state.peers[taker.peer, default: 0] - count
            state.peers[taker.peer] = rest > 0 ? rest : nil
        }
    }
}

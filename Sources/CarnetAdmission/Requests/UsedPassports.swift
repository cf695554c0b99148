import NodeAdmission
import Synchronization

/// Which passport was used for which request: each serves one request of each signer.
///
/// What is known comes from the approved requests in the cluster, which keeps them for an hour, the longest that a passport lives, and from
/// what this replica approves. Only one replica approves.
final class UsedPassports: Sendable {
    private struct Key: Hashable {
        let signer: NodeCertificateRequest.Signer
        let tokenID: String
    }

    private struct Use {
        /// The request's `metadata.uid`.
        let request: String
        let seenAt: Int64
    }

    /// For how long a use is remembered after it was seen, in seconds: a passport's longest life, and as much again.
    private static let memory: Int64 = 7200
    private let uses = Mutex<[Key: Use]>([:])

    /// Takes a passport for a request. It may be taken again for the same one.
    ///
    /// - Returns: Whether it was free, or that request's already.
    func take(_ tokenID: String, _ signer: NodeCertificateRequest.Signer, for request: String, at now: Int64) -> Bool {
        uses.withLock { uses in
            let key = Key(signer: signer, tokenID: tokenID)
            if let use = uses[key], use.request != request { return false }
            uses[key] = Use(request: request, seenAt: now)
            if uses.count % 1024 == 0 { uses = uses.filter { now - $0.value.seenAt < Self.memory } }
            return true
        }
    }

    /// An approved request was seen that used a passport.
    func note(_ tokenID: String, _ signer: NodeCertificateRequest.Signer, for request: String, at now: Int64) {
        uses.withLock { uses in
            let key = Key(signer: signer, tokenID: tokenID)
            if uses[key] == nil { uses[key] = Use(request: request, seenAt: now) }
        }
    }
}

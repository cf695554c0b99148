import HTTPTypes
import CarnetAppraisal
import CarnetEvidence
import CarnetService
import Cryptography
import TPM2

/// Makes challenges, and recognises them by the identifier that carries them.
struct Sessions: Sendable {
    let seal: SessionSeal
    let nodes: NodeStore
    let policy: ActivePolicy
    let lifetime: Int64
    let clock: WallClock

    /// A challenge, its session's identifier, and the policy that it follows.
    struct Opened: Sendable {
        let id: String
        let challenge: Challenge
        let policy: Policy?
    }

    /// A fresh challenge over the PCRs that the policy for this machine wants; for one that names no key, the policy for all.
    func open(attestationKey: TPM.Name?, requesterNonce: [UInt8]?) async throws -> Opened {
        let labels = try await nodes.labels(ofKey: attestationKey?.bytes)
        let policy = try await policy.current(for: labels)
        let challenge = Challenge(
            nonce: SecureRandom.bytes(32), selection: policy?.selection ?? ActivePolicy.selectionWithoutPolicy,
            attestationKey: attestationKey, requesterNonce: requesterNonce, expiresAt: clock.now + lifetime)
        return Opened(id: seal.seal(challenge), challenge: challenge, policy: policy)
    }

    /// The challenge of a session.
    ///
    /// - Throws: ``Problem``: 404 for an identifier that is not ours, 410 for one whose time is over.
    func challenge(_ id: String) throws(Problem) -> Challenge {
        do {
            return try seal.open(id, at: clock.now)
        } catch {
            switch error {
            case .unknown: throw .notFound("There is no such session.")
            case .expired:
                throw Problem(
                    "session-expired", .gone, title: "The session ran out",
                    detail: "Evidence has to arrive within \(lifetime) seconds. Ask for a new session.")
            }
        }
    }
}

import HTTPTypes
import CarnetAppraisal
import CarnetEvidence
import CarnetService
import Cryptography
import MeasurementLogs
import TPM2

/// Makes challenges, and recognises them by the identifier that carries them.
struct Sessions: Sendable {
    let seal: SessionSeal
    let nodes: NodeStore
    let ledger: Ledger
    let policy: ActivePolicy
    let lifetime: Int64
    let clock: WallClock

    /// A challenge, its session's identifier, and the policy that it follows.
    struct Opened: Sendable {
        let id: String
        let challenge: Challenge
        let policy: Policy?
        let requirements: EvidenceRequirements
    }

    /// A fresh challenge over the PCRs that the policy for this machine wants; for one that names no key, the policy for all.
    ///
    /// - Parameter wantsWholeList: Whether the machine was told to send its whole list of files.
    func open(
        attestationKey: TPM.Name?, requesterNonce: [UInt8]?, wantsWholeList: Bool
    ) async throws -> Opened {
        var node: Node?
        if let attestationKey { node = try await nodes.node(attestationKeyName: attestationKey.bytes) }
        let policy = try await policy.current(for: node?.labels ?? .none)
        var requirements = EvidenceRequirements(policy)
        if policy?.ima != nil, !wantsWholeList, let node, let policy {
            let progress = try await ledger.progress(of: node, policyDigest: policy.digest)
            requirements.imaOffset = progress?.checkpoint.entryCount ?? 0
        }
        let challenge = Challenge(
            nonce: SecureRandom.bytes(32), selection: policy?.selection ?? ActivePolicy.selectionWithoutPolicy,
            attestationKey: attestationKey, requesterNonce: requesterNonce, expiresAt: clock.now + lifetime)
        return Opened(
            id: seal.seal(challenge), challenge: challenge, policy: policy,
            requirements: requirements)
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

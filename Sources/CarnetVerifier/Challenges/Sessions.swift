import CarnetRecords
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

    /// The shortest nonce of a session, in bytes.
    static let minimumNonceByteCount = 32

    /// A challenge, its session's identifier, and the policy that it follows.
    struct Opened: Sendable {
        let id: String
        let challenge: Challenge
        let policy: Policy?
        let requirements: EvidenceRequirements
    }

    /// A fresh challenge over the PCRs that the policy for this machine wants; for one that names no key, the policy for all.
    ///
    /// - Parameters:
    ///   - nonceByteCount: How long a nonce is asked for; it is never shorter than ``minimumNonceByteCount``, since who asks is who is examined.
    ///   - wantsWholeList: Whether the machine was told to send its whole list of files.
    func open(
        attestationKey: TPM.Name?, nonceByteCount: Int = minimumNonceByteCount, requesterNonce: [UInt8]?,
        wantsWholeList: Bool
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
            nonce: SecureRandom.bytes(max(nonceByteCount, Self.minimumNonceByteCount)),
            selection: policy?.selection ?? ActivePolicy.selectionWithoutPolicy,
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
            case .unknown: throw Self.noSuchSession
            case .expired:
                throw Problem(
                    "session-expired", .gone, title: "The session ran out",
                    detail: "Evidence has to arrive within \(lifetime) seconds. Ask for a new session.")
            }
        }
    }

    /// How far a session is.
    ///
    /// - Throws: ``Problem``: 404 for a session that was removed.
    func state(of challenge: Challenge) async throws -> SessionState {
        guard let state = try await ledger.sessionState(of: challenge) else { throw Self.noSuchSession }
        return state
    }

    /// Ends a session: no evidence is accepted for it any more.
    ///
    /// - Throws: ``Problem``: 404 for a session that was removed before.
    func remove(_ challenge: Challenge) async throws {
        guard try await ledger.removeSession(of: challenge, at: clock.now) else { throw Self.noSuchSession }
    }

    private static let noSuchSession = Problem.notFound("There is no such session.")
}

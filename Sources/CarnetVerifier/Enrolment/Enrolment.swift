import CarnetRecords
import CarnetAppraisal
import CarnetEvidence
import CarnetService
import CarnetStorage
import Cryptography
import TPM2

/// Lets a machine prove that its attestation key sits in the TPM of its endorsement key.
struct Enrolment: Sendable {
    let endorsement: Endorsement
    let enrolments: EnrolmentStore
    let nodes: NodeStore
    let policy: ActivePolicy
    let approvesOnEnrolment: Bool
    let clock: WallClock

    /// What the first call answers.
    struct Invitation: Sendable {
        let record: EnrolmentStore.Record
        let credential: TPM.Credential
        let selection: TPM.PCRSelectionList
    }

    /// Checks the two keys, and wraps a secret that only their TPM can open.
    func begin(_ body: RequestObject) async throws -> Invitation {
        try body.requireOnly(["name", "ek", "ak"])
        let name = try body.string("name", upTo: 256)
        try NodeName.check(name, member: "name")
        let attestationKeyBody = try body.object("ak")
        try attestationKeyBody.requireOnly(["public"])
        let area = try PublicArea.read(attestationKeyBody, "public")
        let (endorsementKey, certificate) = try await endorsement.check(body.object("ek"), nodeName: name)
        let attestationKey: AttestationKey
        do {
            attestationKey = try AttestationKey(checking: area, endorsementKey: endorsementKey.key.publicArea.name)
        } catch {
            throw Endorsement.refused(
                "\(error.description). Create the attestation key restricted, for signing only, fixed to its TPM.",
                member: "ak.public")
        }
        let identity = NodeIdentity(
            name: name, endorsement: endorsementKey.ground == .registration ? .registration : .certificate,
            endorsementKeyDigest: endorsementKey.key.fingerprint, endorsementKey: endorsementKey.key.publicArea.bytes,
            endorsementCertificate: certificate, attestationKeyName: attestationKey.name.bytes,
            attestationKey: area.bytes)
        return try await invite(identity, attestationKey, endorsementKey)
    }

    private func invite(
        _ identity: NodeIdentity, _ attestationKey: AttestationKey, _ endorsementKey: TrustedEndorsementKey
    ) async throws -> Invitation {
        let challenge: CredentialChallenge
        do {
            challenge = try CredentialChallenge(for: attestationKey, in: endorsementKey)
        } catch {
            throw Endorsement.refused(
                "No credential can be made for this endorsement key: \(error)", member: "ek.public")
        }
        let now = clock.now
        let selection = try await policy.current()?.selection ?? ActivePolicy.selectionWithoutPolicy
        let record = EnrolmentStore.Record(
            id: NodeIdentifier.make(), identity: identity, nonce: SecureRandom.bytes(32), selection: selection.bytes,
            expiresAt: now + EnrolmentStore.lifetime)
        switch try await enrolments.open(record, secret: challenge.secret, now: now) {
        case .opened: return Invitation(record: record, credential: challenge.credential, selection: selection)
        case .conflict(let conflict): throw conflict.problem
        case .tooMany:
            throw Problem.unavailable("Too many enrolments are open.", retryAfter: Int(EnrolmentStore.lifetime))
        }
    }
}

extension IdentityConflict {
    /// 409: an operator removes the old record, or the machine gets another name.
    var problem: Problem {
        let (subject, member) =
            switch self {
            case .name: ("This node name is known with other keys", "name")
            case .endorsementKey: ("This endorsement key is known under another name or attestation key", "ek.public")
            case .attestationKey: ("This attestation key is known with another endorsement key", "ak.public")
            }
        return .conflict(
            "identity-known", title: "The machine is known otherwise",
            subject + ". If the machine was replaced, an operator removes the old record with `carnet node remove`.",
            member: member)
    }
}

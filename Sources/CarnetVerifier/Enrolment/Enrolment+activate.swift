import CarnetRecords
import HTTPTypes
import CarnetEvidence
import CarnetService
import Cryptography
import StrictEncoding
import TPM2

extension Enrolment {
    /// Checks the secret and the first quote. Whatever is wrong, the enrolment is over.
    func activate(_ id: String, _ body: [UInt8]) async throws -> Node {
        let secret: [UInt8]
        let evidence: Evidence
        do {
            (secret, evidence) = try Self.read(body)
        } catch {
            _ = try await enrolments.take(id, secret: [], now: clock.now)
            throw error
        }
        guard let record = try await enrolments.take(id, secret: secret, now: clock.now) else {
            throw Self.noSuchEnrolment
        }
        let quote: AuthenticatedQuote
        do {
            quote = try authenticate(evidence, record)
        } catch {
            try await enrolments.refuse(
                record, (error as? Problem)?.detail ?? "The evidence cannot be read.", now: clock.now)
            throw error
        }
        let addition = try await nodes.add(
            record.id, record.identity, boot: quote.counters, firmwareVersion: quote.firmwareVersion,
            approver: approvesOnEnrolment ? "approve-on-enrolment" : nil, now: clock.now)
        switch addition {
        case .added(let node): return node
        case .conflict(let conflict): throw conflict.problem
        case .registeredForAnotherName:
            throw Self.refused("The endorsement key is registered for a node with another name.")
        case .notRegistered: throw Self.refused("The endorsement key is no longer registered.")
        case .countersWentBackwards:
            throw Self.refused("The TPM's boot counters went backwards since this machine was last seen.")
        }
    }

    /// Refuses what nobody began, before much of a body is read. Nothing is used up.
    func requireOpen(_ id: String) async throws {
        guard try await enrolments.isOpen(id, now: clock.now) else { throw Self.noSuchEnrolment }
    }

    private static let noSuchEnrolment = refused(
        "There is no such enrolment, its time is over, or the secret is not the one in its credential.")

    private static func read(_ body: [UInt8]) throws(Problem) -> (secret: [UInt8], Evidence) {
        let object = try RequestObject(body, maximumDepth: 6)
        try object.requireOnly(["secret", "evidence"])
        let secret = try object.bytes("secret", 1...64)
        do {
            return (secret, try Evidence(object.object("evidence").node, path: "evidence"))
        } catch let error as EvidenceError {
            throw error.problem
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .malformed("The evidence cannot be read.", member: "evidence")
        }
    }

    private func authenticate(
        _ evidence: Evidence, _ record: EnrolmentStore.Record
    ) throws -> AuthenticatedQuote {
        let key = try NodeKeys.attestationKey(of: record.identity)
        let challenge = Challenge(
            nonce: record.nonce, selection: try TPM.PCRSelectionList(parsing: record.selection),
            attestationKey: key.name, expiresAt: record.expiresAt)
        let quote: UnverifiedQuote
        do {
            quote = try UnverifiedQuote(evidence)
        } catch {
            throw EvidenceError("evidence." + error.member, error.reason).problem
        }
        switch quote.authenticate(by: key, answering: challenge, after: nil) {
        case .authentic(let quote): return quote
        case .broken(let findings):
            throw Self.refused(findings.map { "\($0.description). \($0.remedy)." }.joined(separator: " "))
        }
    }

    private static func refused(_ detail: String) -> Problem {
        Problem(
            "activation-refused", .forbidden, title: "The machine did not prove its keys",
            detail: detail + " Begin a new enrolment.")
    }
}

public import CarnetClient
internal import CarnetEvidence
internal import CarnetResult
internal import Foundation
internal import StrictEncoding
internal import Synchronization
internal import TPM2

/// The machine's side of a broker: shows a passport, proves possession for each request with the TPM, and opens what it is given.
///
/// A proof is stamped with the machine's clock. Where the broker refuses one for its time, the broker's own (`Date`) is taken from then
/// on, for proofs and for nothing else.
public final class BrokerClient: Sendable {
    let connection: ServiceConnection
    private let collector: EvidenceCollector
    private let passport: HeldPassport
    private let logs: LogSources
    private let clock: @Sendable () -> Int64
    private let memory = Mutex(Memory())
    /// Under which name the broker knows the machine.
    var subject: String { passport.subject }

    private struct Memory {
        var nonce: String?
        var clockOffset: Int64 = 0
    }

    /// A client with a passport.
    ///
    /// - Parameters:
    ///   - connection: To the broker.
    ///   - collector: The TPM with the keys of the passport; gathers fresh evidence where the broker wants it.
    ///   - clock: Seconds since 1970; `nil` for the machine's.
    public init(
        _ connection: ServiceConnection, passport: HeldPassport, collector: EvidenceCollector, logs: LogSources,
        clock: (@Sendable () -> Int64)? = nil
    ) {
        self.connection = connection
        self.passport = passport
        self.collector = collector
        self.logs = logs
        self.clock = clock ?? { Int64(Date().timeIntervalSince1970) }
    }

    /// What was answered, and what a message in it must answer (`apv`).
    struct Reply {
        let answer: ServiceConnection.RawAnswer
        let recipientInfo: [UInt8]
    }

    /// Sends a request with passport and proof; again once with the nonce that the broker gave, and once at the broker's time.
    ///
    /// - Throws: ``ServiceConnection/Failure`` for what is not answered with success.
    func call(_ method: String, _ path: String, _ body: [UInt8]? = nil) async throws -> Reply {
        var mayLearnNonce = true, mayLearnTime = true
        while true {
            let memory = memory.withLock { $0 }
            let now = clock()
            let proof = try collector.device.proof(
                for: ProvenRequest(method: method, uri: connection.base + path), showing: passport,
                with: collector.state,
                nonce: memory.nonce, issuedAt: now + memory.clockOffset)
            let answer = try await connection.exchange(
                method, path,
                headers: [
                    ("Authorization", "DPoP " + String(decoding: passport.token, as: UTF8.self)),
                    ("DPoP", String(decoding: proof.token, as: UTF8.self)),
                ], contentType: body == nil ? nil : "application/json", body: body)
            let fresh = answer.header("DPoP-Nonce").flatMap(Self.nonce)
            if let fresh { self.memory.withLock { $0.nonce = fresh } }
            guard answer.status >= 300 else { return Reply(answer: answer, recipientInfo: proof.recipientInfo) }
            let challenge = answer.status == 401 ? answer.header("WWW-Authenticate") ?? "" : ""
            if mayLearnNonce, fresh != nil, challenge.contains(#"error="use_dpop_nonce""#) {
                mayLearnNonce = false
                continue
            }
            let offset = answer.header("Date").flatMap(Self.seconds).map { $0 - now }
            if mayLearnTime, challenge.contains(#"error="invalid_dpop_proof""#), let offset,
                abs(offset - memory.clockOffset) > 5
            {
                mayLearnTime = false
                self.memory.withLock { $0.clockOffset = offset }
                continue
            }
            throw connection.refusal(answer)
        }
    }

    /// The same for what a broker may want fresh evidence for.
    ///
    /// - Parameter form: The form in which a secret is wanted; `nil` where there is no choice.
    func release(_ path: String, form: String? = nil) async throws -> Reply {
        do {
            return try await call("POST", path, Self.request(form, nil))
        } catch let failure as ServiceConnection.Failure where failure.problem == "fresh-evidence-required" {
            return try await call("POST", path, Self.request(form, freshEvidence()))
        }
    }

    private static func request(_ form: String?, _ fresh: (challenge: String, evidence: Evidence)?) -> [UInt8] {
        JSONWriter.object { writer in
            if let form { writer.string("form", form) }
            if let fresh {
                writer.string("challenge", fresh.challenge)
                writer.object("evidence") { fresh.evidence.write(to: &$0) }
            }
        }
    }

    /// Evidence for a challenge that the broker got from its verifier.
    private func freshEvidence() async throws -> (challenge: String, evidence: Evidence) {
        let name = try collector.attestationKeyName()
        let answer = try await call(
            "POST", "/release/v1/challenges", JSONWriter.object { $0.base64URL("ak", name.bytes) }
        ).answer
        let root = try document(answer.body)
        guard let challenge = root["id"]?.string, let nonce = root["nonce"].flatMap(AttesterClient.bytes),
            let selection = root["pcr_selection"].flatMap(AttesterClient.selection)
        else {
            throw AttesterClient.Unreadable(description: "The broker's challenge lacks its id, nonce or PCR selection.")
        }
        let evidence = try collector.collect(
            nonce: nonce, selection: selection, stateSelection: AttesterClient.stateSelection(root, collector.binding),
            requirements: AttesterClient.requirements(root), logs: logs)
        return (challenge, evidence)
    }

    /// Opens a reply that is a compact JWE.
    func opened(_ reply: Reply) throws -> [UInt8] {
        try collector.device.decrypt(
            reply.answer.body, with: collector.state, keyState: passport.encryptionState,
            recipientInfo: reply.recipientInfo)
    }

    /// Opens a reply that is a TPM import blob.
    func imported(_ reply: Reply) throws -> [UInt8] {
        try collector.device.unseal(
            ImportMessage(parsing: reply.answer.body), with: collector.state, recipientInfo: reply.recipientInfo)
    }

    func document(_ bytes: [UInt8]) throws -> JSONNode {
        do {
            return try JSONDocument(parsing: bytes, maximumByteCount: 1 << 20, maximumDepth: 8).root
        } catch {
            throw AttesterClient.Unreadable(description: "The broker's answer is not JSON: \(error)")
        }
    }

    /// A nonce that may stand in a proof: printable, and no longer than anybody makes one.
    private static func nonce(_ text: String) -> String? {
        (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
    }

    /// Seconds since 1970 of an HTTP date (RFC 9110 §5.6.7, IMF-fixdate).
    private static func seconds(_ text: String) -> Int64? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.date(from: text).map { Int64($0.timeIntervalSince1970) }
    }
}

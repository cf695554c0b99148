import CarnetRecords
import CarnetLedger
import CarnetStorage
import StrictEncoding

extension LedgerEntry {
    /// The word for the entry. A passport's appraisal without a verdict has another, since of those not every one is written.
    var eventKind: String {
        guard kind == .passport else { return kind.rawValue }
        return outcome == .failed || outcome == .unreadable ? "failed-appraisal" : "appraisal"
    }

    /// The words for entries about evidence.
    static let eventKinds: Set<String> = ["appraisal", "failed-appraisal", "background-check"]

    /// What came out, as JSON: the same appraisal gives the same bytes.
    var verdict: [UInt8] {
        JSONWriter.object { writer in
            writer.string("outcome", outcome.rawValue)
            if let id = particulars.policyID { writer.string("policy", id) }
            if let policyDigest { writer.string("policy_sha256", Hexadecimal.encode(policyDigest)) }
            if let depth = particulars.depth { writer.string("depth", depth) }
            if !particulars.vector.isEmpty {
                writer.object("vector") { writer in
                    for (claim, value) in particulars.vector.sorted(by: { $0.key < $1.key }) {
                        writer.integer(named: claim, value)
                    }
                }
            }
            if !particulars.templates.isEmpty {
                writer.array("templates") { writer in for id in particulars.templates { writer.element(id) } }
            }
            writer.json("findings", findings)
        }
    }

    /// Writes the members of the entry's body; the verdict comes last.
    func write(to writer: inout JSONWriter, requesterName: String?) {
        writer.string("call", kind.rawValue)
        if let requester { writer.actor(requester, requesterName) }
        if let nodeID { writer.string("node", nodeID) }
        writer.string("evidence_sha256", Hexadecimal.encode(evidenceDigest))
        if let digest = particulars.inputsDigest { writer.string("inputs_sha256", Hexadecimal.encode(digest)) }
        if let tokenID {
            writer.object("token") { writer in
                writer.string("jti", tokenID)
                if let expiry = particulars.tokenExpiresAt { writer.integer("exp", expiry) }
                if let keyID = particulars.tokenKeyID { writer.string("kid", keyID) }
            }
        }
        writer.json("verdict", verdict)
    }

    /// The verdict's bytes in the body of an entry; `nil` when it has none.
    static func verdict(inBody body: [UInt8]) -> [UInt8]? {
        // Inside a string its quotation marks would be escaped, so the first place that looks like it is it.
        guard let start = body.firstRange(of: Array(",\"verdict\":".utf8))?.upperBound, start < body.count else {
            return nil
        }
        return Array(body[start..<(body.count - 1)])
    }

    /// Reads an appraisal, or a withdrawal, from its row.
    init(row: SQLRow) throws(StorageError) {
        let body = try row.bytes("body"), time = try row.integer("time")
        let unreadable = StorageError(.unexpectedValue, "an entry of the ledger cannot be read")
        guard
            let root = try? JSONDocument(
                parsing: body, maximumByteCount: LedgerEntryRecord.maximumBodyByteCount, maximumDepth: 8
            ).root
        else { throw unreadable }
        func digest(_ node: JSONNode?) -> [UInt8]? { node?.string.flatMap { Hexadecimal.decode($0) } }
        if try row.text("kind") == "revocation" {
            guard let what = root["what"]?.string, let target = root["target"]?.string,
                let decision = digest(root["sha256"])
            else { throw unreadable }
            self.init(
                time: time, kind: .revocation, challengeDigest: [], requester: root["by"]?["id"]?.string,
                nodeID: what == "node" ? target : nil, outcome: .revoked,
                policyDigest: what == "policy" ? Hexadecimal.decode(target) : nil, evidenceDigest: decision,
                tokenID: what == "token" ? target : nil, findings: Array("[]".utf8))
            return
        }
        guard let kind = root["call"]?.string.flatMap(Kind.init), let verdict = Self.verdict(inBody: body),
            let outcome = root["verdict"]?["outcome"]?.string.flatMap(Outcome.init),
            let evidence = digest(root["evidence_sha256"]),
            let findings = verdict.firstRange(of: Array(",\"findings\":".utf8))?.upperBound, findings < verdict.count
        else { throw unreadable }
        self.init(
            time: time, kind: kind, challengeDigest: try row.optionalBytes("challenge") ?? [],
            requester: root["by"]?["id"]?.string, nodeID: root["node"]?.string, outcome: outcome,
            policyDigest: digest(root["verdict"]?["policy_sha256"]), evidenceDigest: evidence,
            tokenID: root["token"]?["jti"]?.string, findings: Array(verdict[findings..<(verdict.count - 1)]))
    }
}

import CarnetAttester
import CarnetClient
import CarnetCommandLine
import CarnetEvidence
import MeasurementLogs
import StrictEncoding
import TPM2

/// What `carnet node show` tells of a machine.
struct NodeReport: Encodable {
    let id, subject, name, state, endorsement, ekSHA256, ak, createdAt, approvedAt, approvedBy: String?
    let labels: [String: String]
    /// How it attested last; `nil` when it never did.
    var attestation: LastAttestation?
    /// What it sent last that was authentic; `nil` when there is none.
    var evidence: LastEvidence?
    /// Its disks' keys in escrow; `nil` when no broker was asked.
    var dataAtRest: [EscrowEntry]?
    /// Why the broker did not tell of them; `nil` when it did, or was not asked.
    var dataAtRestError: String?

    init(_ node: JSONNode?) {
        id = node?["id"]?.string
        subject = node?["subject"]?.string
        name = node?["name"]?.string
        state = node?["state"]?.string
        endorsement = node?["endorsement"]?.string
        ekSHA256 = node?["ek_sha256"]?.string
        ak = node?["ak"]?.string
        createdAt = node?["created_at"]?.string
        approvedAt = node?["approved_at"]?.string
        approvedBy = node?["approved_by"]?.string
        labels = Dictionary(
            (node?["labels"]?.members ?? []).map { ($0.name, $0.value.string ?? "") }, uniquingKeysWith: { $1 })
    }

    /// How many findings people get to see; `carnet node findings` has them all.
    private static let findingCount = 3

    /// Prints it for people.
    func print() {
        let labels = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let rows: [(String, String?)] = [
            ("name", name), ("identifier", id), ("subject", subject), ("state", state),
            ("labels", labels.isEmpty ? nil : labels.joined(separator: " ")), ("endorsement", endorsement),
            ("endorsement key (SHA-256)", ekSHA256), ("attestation key", ak), ("enrolled", createdAt),
            ("approved", approvedAt), ("approved by", approvedBy),
            ("attestation", attestation?.sentence ?? "never"), ("measurements", evidence?.sentence ?? "none"),
        ]
        let disks =
            dataAtRestError.map { [("data at rest", $0)] }
            ?? dataAtRest.map { entries in
                entries.isEmpty
                    ? [("data at rest", "no disk's key is in escrow")]
                    : entries.map { ("data at rest: \($0.volume)", $0.sentence) }
            }
        Output.table(rows.compactMap { name, value in value.map { (name, $0) } } + (disks ?? []))
        let findings = attestation?.findings ?? []
        if !findings.isEmpty {
            Output.line("\nWhat the last attestation found:")
            for finding in findings.prefix(Self.findingCount) { Output.line(finding.text) }
            let rest = findings.count - Self.findingCount
            if rest > 0 { Output.line("  and \(rest) more: carnet node findings \(name ?? "") --limit 1") }
        }
        evidence?.print()
    }
}

/// How a machine attested last.
struct LastAttestation: Encodable {
    let time, kind, outcome: String?
    /// The policy's identifier, and the SHA-256 of its text.
    let policy, policySHA256: String?
    let findings: [Finding]

    var sentence: String {
        let under = (policy ?? policySHA256).map { " under the policy \($0)" } ?? ""
        return "\(outcome ?? "?") at \(time ?? "?")\(under) (\(kind ?? "?"))"
    }

    /// The newest appraisal of a machine.
    static func last(of identifier: String, _ options: OperatorOptions) async throws -> LastAttestation? {
        let list = try await options.send("GET", "/admin/v1/appraisals?node=\(identifier)&limit=16")?["appraisals"]
        // Revocations stand among them.
        let newest = list?.elements?.first { $0["kind"]?.string != "revocation" }
        guard let newest else { return nil }
        let digest = newest["policy_sha256"]?.string
        var policy: String?
        if let digest {
            try await options.forEachPage("/admin/v1/policies", "policies") { policies in
                policy = policy ?? policies.first { $0["sha256"]?.string == digest }?["id"]?.string
            }
        }
        return LastAttestation(
            time: newest["time"]?.string, kind: newest["kind"]?.string, outcome: newest["outcome"]?.string,
            policy: policy, policySHA256: digest,
            findings: try (newest["findings"]?.elements ?? []).map { try Finding($0) })
    }
}

/// What a machine sent last that was authentic.
struct LastEvidence: Encodable {
    let appraisedAt: String?
    /// The quoted PCRs by bank and index, in hexadecimal.
    let pcrs: [String: [String: String]]
    /// How many events the logs have; `nil` when no log came.
    let eventCount: Int?
    let events: [EventList.Entry]?
    private let rows: [[String]]

    private enum CodingKeys: String, CodingKey { case appraisedAt, pcrs, eventCount, events }

    var sentence: String {
        let events = eventCount.map { "\($0) events in its log" } ?? "no log"
        return "\(events), evidence of \(appraisedAt ?? "?")"
    }

    func print() {
        Output.line("\nThe PCRs that it quoted last:")
        for (bank, values) in pcrs.sorted(by: { $0.key < $1.key }) {
            let sorted = values.sorted { (Int($0.key) ?? 0) < (Int($1.key) ?? 0) }
            Output.table(sorted.map { ("\(bank) PCR \($0.key)", $0.value) })
        }
        guard events != nil else { return }
        Output.line("\nWhat it measured (names are the log's word):")
        Output.table(headings: EventList.headings, rows)
    }

    /// The evidence that the verifier keeps of a machine.
    static func last(
        of identifier: String, _ options: OperatorOptions, listing: Bool
    ) async throws -> LastEvidence? {
        let bytes = try await options.withConnection { connection in
            do {
                return try await connection.send(
                    "GET", "/admin/v1/nodes/\(identifier)/evidence", maximumByteCount: 64 << 20
                ).body as [UInt8]?
            } catch let failure as ServiceConnection.Failure where failure.status == 404 {
                return nil
            }
        }
        guard let bytes else { return nil }
        let answer = try JSONDocument(parsing: bytes, maximumByteCount: 64 << 20).root
        let evidence = answer["evidence"]
        var pcrs: [String: [String: String]] = [:]
        for (bank, values) in evidence?["pcrs"]?.members ?? [] {
            for (pcr, value) in values.members ?? [] {
                pcrs[bank, default: [:]][pcr] = value.string.flatMap { Base64URL.decode($0) }.map(Hexadecimal.encode)
            }
        }
        let log = evidence?["event_log"] == nil ? nil : try KeptLogs(in: evidence, of: identifier).joined()
        let bank = log?.banks.first { pcrs[$0.algorithm.description] != nil }?.algorithm
        let list = listing ? log.map { EventList($0, bank ?? .sha256) } : nil
        return LastEvidence(
            appraisedAt: answer["appraised_at"]?.string, pcrs: pcrs, eventCount: log?.count, events: list?.entries,
            rows: list?.rows ?? [])
    }
}

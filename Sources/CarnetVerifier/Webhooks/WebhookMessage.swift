import CarnetRecords
import CarnetLedger
import CarnetStorage
import StrictEncoding

/// What is told, to whomever wants to know: one JSON object with `type`, `timestamp` and `data`, as Standard Webhooks recommends. It holds
/// identifiers, digests and words, never a nonce, a token, evidence or a key.
struct WebhookMessage: Sendable {
    /// What it is about.
    let kind: WebhookEventKind
    /// Messages of one lane arrive in their order: the machine's identifier, or one word for everything else of a kind.
    let lane: String
    /// The labels of the machine; `nil` where it is about none, or the machine is gone: then no selection by labels leaves it out.
    let labels: NodeLabels?
    /// The body.
    let body: [UInt8]
    /// The one subscription that it is for; `nil` for all that want its kind.
    var recipient: String?

    /// The most findings in a message, and the most bytes of each one's sentences.
    static let maximumFindingCount = 10
    private static let maximumTextByteCount = 400

    private init(
        _ kind: WebhookEventKind, lane: String, labels: NodeLabels?, at time: Int64, _ place: LedgerPlace,
        _ data: (inout JSONWriter) -> Void
    ) {
        self.kind = kind
        self.lane = lane
        self.labels = labels
        body = JSONWriter.object { writer in
            writer.string("type", kind.rawValue)
            writer.string("timestamp", RFC3339.format(time))
            writer.object("data") { writer in
                data(&writer)
                writer.object("ledger") { writer in
                    writer.string("chain", place.chain)
                    writer.integer("number", place.number)
                }
            }
        }
    }

    /// A machine has begun to fail, or has recovered.
    init(
        _ turn: NodeHealth.Turn, _ node: Node, from previous: NodeHealth?, _ entry: LedgerEntry, at place: LedgerPlace
    ) {
        let kind: WebhookEventKind = turn == .failed ? .nodeFailed : .nodeRecovered
        self.init(kind, lane: node.id, labels: node.labels, at: entry.time, place) { writer in
            writer.object("node") { $0.node(node) }
            writer.object("outcome") { writer in
                if let previous { writer.string("before", previous.outcome.rawValue) }
                writer.string("after", entry.outcome.rawValue)
            }
            if let digest = entry.policyDigest {
                writer.object("policy") { writer in
                    if let id = entry.particulars.policyID.flatMap(Self.policyName) { writer.string("id", id) }
                    writer.string("sha256", Hexadecimal.encode(digest))
                }
            }
            let findings = Self.findings(entry)
            writer.integer("finding_count", Int64(findings.count))
            writer.array("findings") { writer in
                for finding in findings.prefix(Self.maximumFindingCount) { writer.object { $0.members(of: finding) } }
            }
        }
    }

    /// Passports were withdrawn.
    ///
    /// - Parameter node: The machine whose they are, if it is one machine's and still known.
    init(_ revocation: Revocation, of id: String?, _ node: Node?, at place: LedgerPlace) {
        self.init(
            .passportsRevoked, lane: id ?? "revocations", labels: node?.labels, at: revocation.time, place
        ) { writer in
            if let node {
                writer.object("node") { $0.node(node) }
            } else if let id {
                writer.object("node") { $0.string("id", id) }
            }
            writer.string("what", revocation.target.kind)
            writer.string("target", revocation.target.subject)
            writer.string("reason", Self.cut(revocation.reason))
            writer.integer("passports", Int64(revocation.tokenCount))
            writer.string("by", revocation.decidedBy)
        }
    }

    /// The policy's own name in an identifier that has its digest, too (`tag:…:policy/NAME@sha256:…`).
    private static func policyName(_ identifier: String) -> String? {
        guard let start = identifier.firstRange(of: "policy/")?.upperBound,
            let end = identifier.lastIndex(of: "@"), start < end
        else { return nil }
        return String(identifier[start..<end])
    }

    /// A policy became active or ceased to be; `nil` for another action.
    init?(_ action: OperatorAction, at time: Int64, _ place: LedgerPlace) {
        guard action.isDone else { return nil }
        switch action.action {
        case .policyActivated, .policyDeactivated, .policyRolledBack:
            self.init(.policyChanged, lane: "policies", labels: nil, at: time, place) { writer in
                writer.object("policy") { writer in
                    writer.string("id", action.target)
                    if let digest = action.details["sha256"] { writer.string("sha256", digest) }
                }
                writer.string("change", action.action.name)
                writer.string("by", action.by)
            }
        case .webhookTested:
            self.init(.test, lane: "test", labels: nil, at: time, place) { writer in
                writer.string("webhook", action.target)
                writer.string("by", action.by)
            }
            recipient = action.target
        default: return nil
        }
    }

    private static func findings(_ entry: LedgerEntry) -> [JSONNode] {
        let document = try? JSONDocument(
            parsing: entry.findings, maximumByteCount: LedgerEntryRecord.maximumBodyByteCount, maximumDepth: 8)
        return document?.root.elements ?? []
    }

    /// At most ``maximumTextByteCount`` bytes.
    fileprivate static func cut(_ text: String) -> String {
        guard text.utf8.count > maximumTextByteCount else { return text }
        var count = 0
        return String(
            text.prefix { character in
                count += character.utf8.count
                return count <= maximumTextByteCount
            }) + "…"
    }
}

extension JSONWriter {
    fileprivate mutating func node(_ node: Node) {
        string("id", node.id)
        string("name", node.identity.name)
    }

    /// What a finding is about and says; what was expected and found stands in the ledger.
    fileprivate mutating func members(of finding: JSONNode) {
        for name in ["family", "rule", "bank"] {
            if let text = finding[name]?.string { string(named: name, WebhookMessage.cut(text)) }
        }
        for name in ["pcr", "event"] {
            if let number = finding[name]?.integer { integer(named: name, number) }
        }
        for name in ["description", "remedy"] {
            if let text = finding[name]?.string { string(named: name, WebhookMessage.cut(text)) }
        }
    }
}

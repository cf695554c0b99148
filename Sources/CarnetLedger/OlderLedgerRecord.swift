internal import StrictEncoding

/// An entry of the ledger's first form, which knew appraisals and withdrawals only. Databases that were made before the second form keep
/// theirs as they are; no new ones are written.
///
/// The hash is made as in ``LedgerEntryRecord``, over the label `carnet/ledger/v1` and the members in the order in which they stand here.
public struct OlderLedgerRecord: Sendable, Hashable {
    /// The writer's name. Outside of the database the chain is called `v1/` and this name.
    public let writer: String
    public let number: Int64
    public let previous: [UInt8]
    public let time: Int64
    public let kind: String
    public let challenge: [UInt8]
    public let requester: String?
    public let node: String?
    public let outcome: String
    public let policy: [UInt8]?
    public let evidence: [UInt8]
    public let token: String?
    /// A JSON array.
    public let findings: [UInt8]

    /// An entry from its parts.
    public init(
        writer: String, number: Int64, previous: [UInt8], time: Int64, kind: String, challenge: [UInt8],
        requester: String?, node: String?, outcome: String, policy: [UInt8]?, evidence: [UInt8], token: String?,
        findings: [UInt8]
    ) {
        self.writer = writer
        self.number = number
        self.previous = previous
        self.time = time
        self.kind = kind
        self.challenge = challenge
        self.requester = requester
        self.node = node
        self.outcome = outcome
        self.policy = policy
        self.evidence = evidence
        self.token = token
        self.findings = findings
    }

    /// What all chains of this form begin with.
    public static let prefix = "v1/"
    /// The chain's name outside of the database.
    public var chain: String { Self.prefix + writer }

    /// What the chain's next entry repeats.
    public var hash: [UInt8] {
        var digest = FieldHash("carnet/ledger/v1")
        digest.add(writer)
        digest.add(String(number))
        digest.add(previous)
        digest.add(String(time))
        digest.add(kind)
        digest.add(challenge)
        digest.add(requester)
        digest.add(node)
        digest.add(outcome)
        digest.add(policy)
        digest.add(evidence)
        digest.add(token)
        digest.add(findings)
        return digest.finish()
    }

    /// The line of an export, with the hash that is stored beside the entry; no end of line.
    public func line(hash: [UInt8]) -> [UInt8] {
        JSONWriter.object { writer in
            writer.integer("v", 1)
            writer.string("chain", chain)
            writer.integer("number", number)
            writer.integer("time", time)
            writer.string("kind", kind)
            writer.string("challenge", Hexadecimal.encode(challenge))
            if let requester { writer.string("requester", requester) }
            if let node { writer.string("node", node) }
            writer.string("outcome", outcome)
            if let policy { writer.string("policy", Hexadecimal.encode(policy)) }
            writer.string("evidence", Hexadecimal.encode(evidence))
            if let token { writer.string("jti", token) }
            writer.string("previous", Hexadecimal.encode(previous))
            writer.string("hash", Hexadecimal.encode(hash))
            writer.json("findings", findings)
        }
    }
}

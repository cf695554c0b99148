import CarnetRecords
import CarnetStorage
import Cryptography
package import StrictEncoding

/// One decision of an operator that passports end before they expire.
package struct Revocation: LedgerFact, Hashable {
    /// Which passports.
    package enum Target: Sendable, Hashable {
        /// The one with this `jti`.
        case token(String)
        /// All of the machine with this identifier.
        case node(String)
        /// All that were issued under the policy whose text has this SHA-256.
        case policy([UInt8])
        /// All that were issued before this time, in seconds since 1970.
        case issuedBefore(Int64)

        /// The member that names it in JSON.
        package var kind: String {
            switch self {
            case .token: "token"
            case .node: "node"
            case .policy: "policy"
            case .issuedBefore: "issued_before"
            }
        }

        /// What is stored of it: the identifier, the digest in hexadecimal, the seconds.
        var subject: String {
            switch self {
            case .token(let id), .node(let id): id
            case .policy(let digest): Hexadecimal.encode(digest)
            case .issuedBefore(let time): String(time)
            }
        }

        init?(kind: String, subject: String) {
            switch kind {
            case "token": self = .token(subject)
            case "node": self = .node(subject)
            case "policy":
                guard let digest = Hexadecimal.decode(subject), digest.count == 32 else { return nil }
                self = .policy(digest)
            case "issued_before":
                guard let time = Int64(subject) else { return nil }
                self = .issuedBefore(time)
            default: return nil
            }
        }
    }

    /// Its place in the order of decisions, from 0.
    package let number: Int64
    /// When, in seconds since 1970.
    package let time: Int64
    /// Which passports.
    package let target: Target
    /// Why, in the operator's words.
    package let reason: String
    /// The identifier of the API token with which it was decided.
    package let decidedBy: String
    /// How many passports were alive and ended by it.
    package let tokenCount: Int

    init(number: Int64, time: Int64, target: Target, reason: String, decidedBy: String, tokenCount: Int) {
        self.number = number
        self.time = time
        self.target = target
        self.reason = reason
        self.decidedBy = decidedBy
        self.tokenCount = tokenCount
    }

    init(row: SQLRow) throws(StorageError) {
        guard let target = Target(kind: try row.text("kind"), subject: try row.text("subject")) else {
            throw StorageError(.unexpectedValue, "a revocation's kind or subject cannot be read")
        }
        self.init(
            number: try row.integer("number"), time: try row.integer("time"), target: target,
            reason: try row.text("reason"), decidedBy: try row.text("decided_by"),
            tokenCount: Int(clamping: try row.integer("token_count")))
    }

    /// SHA-256 over the decision, each part preceded by its length: what the ledger keeps of it.
    var digest: [UInt8] {
        var hash = IncrementalHash(.sha256)
        for part in ["carnet/revocation/v1", String(number), target.kind, target.subject, reason, decidedBy] {
            hash.update(withUnsafeBytes(of: Int64(part.utf8.count).bigEndian) { Array($0) })
            hash.update(Array(part.utf8))
        }
        return hash.finalize()
    }
}

extension Revocation {
    package var kind: String { "revocation" }
    package var subject: String? { target.subject }
    package var actor: String? { decidedBy }

    package func write(to writer: inout JSONWriter, actorName: String?) {
        writer.actor(decidedBy, actorName)
        writer.integer("revocation", number)
        writer.string("what", target.kind)
        writer.string("target", target.subject)
        writer.string("reason", reason)
        writer.integer("tokens", Int64(tokenCount))
        writer.string("sha256", Hexadecimal.encode(digest))
    }
}

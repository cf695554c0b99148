internal import StrictEncoding

/// One place where the ledger is not what it was.
public struct LedgerFault: Sendable, Hashable {
    /// What is wrong, in a word for programs.
    public enum Kind: String, Sendable, Hashable {
        /// A line or a row is not an entry.
        case unreadable
        /// An entry's hash is not the hash of what it says.
        case content
        /// An entry does not repeat the hash of the one before it.
        case link
        /// Entries are missing in the middle, or at the beginning without a record that they were pruned.
        case missing
        /// A number comes twice or not in its order: a fork, an insertion or a reordering.
        case order
        /// A chain ends before an entry that a checkpoint names.
        case cut
        /// An entry has another hash than a checkpoint says.
        case checkpoint
        /// A checkpoint is not signed by a key of the verifier.
        case signature
        /// Checkpoints do not follow one another, or are not there.
        case checkpoints
        /// A checkpoint that was kept elsewhere is not one of the ledger's.
        case rollback
    }

    public let kind: Kind
    /// The chain; `nil` for what is about checkpoints.
    public let chain: String?
    /// The entry's number, or the checkpoint's; `nil` where there is none.
    public let number: Int64?
    /// What is wrong, as a sentence without its full stop.
    public let reason: String

    init(_ kind: Kind, _ chain: String? = nil, _ number: Int64? = nil, _ reason: String) {
        self.kind = kind
        self.chain = chain
        self.number = number
        self.reason = reason
    }

    /// What to do about it.
    public var remedy: String {
        switch kind {
        case .unreadable, .content, .link, .missing, .order:
            "Keep a copy of the database, compare it with an earlier export or backup, and find out who could write to it"
        case .cut, .checkpoint, .rollback:
            "The database was changed behind the verifier or restored from an old copy: look for a newer one, and treat what lies between"
                + " as unknown"
        case .signature:
            "Give the verifier's key set of that time with --keys; if it is given, the checkpoint is forged"
        case .checkpoints:
            "Export again with `carnet audit export`; if it stays, checkpoints were removed from the database"
        }
    }
}

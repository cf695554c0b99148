/// What an allow list says about one entry.
public enum IMAVerdict: Sendable, Hashable {
    /// Its digest may be anywhere.
    case allowedByDigest
    /// Its digest may be at this path, and is.
    case allowedByPathAndDigest
    /// The key of this identifier signed its digest.
    case allowedByKey(UInt32)
    /// It is the boot aggregate that was compared with the quoted PCRs, or repeats it after a kexec.
    case bootAggregate
    /// Nothing is known of it; this pattern of the policy does not ask about such names.
    case excluded(by: String)
    /// The kernel knows no digest. No pattern excludes it, for no digest covers its name.
    case violation
    /// The path is not listed, and no keys are.
    case unknownPath
    /// The path is listed with other digests: these.
    case wrongDigest(expected: [IMADigest])
    /// The path is not listed, and none of the keys signed the digest.
    case unsigned(IMASignatureProblem)
    /// Its hash is too weak for anybody to say which file it was.
    case weakDigest(IMADigestAlgorithm)
    /// A buffer that is not listed.
    case unlistedBuffer
    /// The entry may be a file's or a buffer's, whoever wrote the list chose, and not both may pass.
    case ambiguous
    /// The fields cannot be read, with the reason.
    case unreadable(String)

    /// Whether the list vouches for the entry. What is excluded is not vouched for.
    public var isAllowed: Bool {
        switch self {
        case .allowedByDigest, .allowedByPathAndDigest, .allowedByKey, .bootAggregate: true
        default: false
        }
    }

    /// Whether a pattern excused the entry.
    public var isExcluded: Bool {
        if case .excluded = self { true } else { false }
    }

    /// Whether nothing needs to be said against the entry.
    var passes: Bool { isAllowed || isExcluded }
}

/// Why no key of an allow list signed a file.
public enum IMASignatureProblem: Sendable, Hashable {
    /// The entry has no signature.
    case missing
    /// It has one of a form that Carnet does not read.
    case unreadable
    /// It names a key that is not listed.
    case unknownKey(UInt32)
    /// A listed key of that name did not make it, or not over this digest.
    case invalid(UInt32)
}

/// The AR4SI trustworthiness vector (draft-ietf-rats-ar4si §2.3): eight claims, each a signed byte; an absent claim asserts nothing.
public struct TrustworthinessVector: Sendable, Hashable {
    /// A claim of the vector, by its JSON name.
    public enum Claim: String, Sendable, Hashable, CaseIterable {
        case instanceIdentity = "instance-identity"
        case configuration
        case executables
        case fileSystem = "file-system"
        case hardware
        case runtimeOpaque = "runtime-opaque"
        case storageOpaque = "storage-opaque"
        case sourcedData = "sourced-data"
    }

    private var values: [Claim: Int8] = [:]

    /// A vector that asserts nothing.
    public init() {}

    /// The value of a claim, if it is asserted.
    public subscript(claim: Claim) -> Int8? {
        get { values[claim] }
        set { values[claim] = newValue }
    }

    /// Whether nothing is asserted.
    public var isEmpty: Bool { values.isEmpty }

    /// The asserted claims in the specification's order.
    public var asserted: [(claim: Claim, value: Int8)] {
        Claim.allCases.compactMap { claim in values[claim].map { (claim, $0) } }
    }

    /// The tier that a value stands for (§2.3.2): -1 to 1 none, to 31 and -32 affirming, to 95 and -96 warning, else contraindicated.
    public static func tier(of value: Int8) -> TrustTier {
        switch value {
        case -1...1: .none
        case -32...31: .affirming
        case -96...95: .warning
        default: .contraindicated
        }
    }

    /// The worst tier of an asserted claim, values that assert nothing left out; `none` for an empty vector.
    public var worstTier: TrustTier {
        values.values.map(Self.tier(of:)).filter { $0 != .none }.min() ?? .none
    }
}

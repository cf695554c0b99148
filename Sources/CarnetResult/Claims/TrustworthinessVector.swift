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

        /// The claim's CBOR key, and its place in the vector.
        var key: Int {
            switch self {
            case .instanceIdentity: 0
            case .configuration: 1
            case .executables: 2
            case .fileSystem: 3
            case .hardware: 4
            case .runtimeOpaque: 5
            case .storageOpaque: 6
            case .sourcedData: 7
            }
        }
    }

    /// The value of each claim at its ``Claim/key``; zero where ``mask`` has no bit.
    private var values = SIMD8<Int8>(repeating: 0)
    /// One bit for each claim that is asserted.
    private var mask: UInt8 = 0

    /// A vector that asserts nothing.
    public init() {}

    /// The value of a claim, if it is asserted.
    public subscript(claim: Claim) -> Int8? {
        get { mask & (1 << UInt8(claim.key)) == 0 ? nil : values[claim.key] }
        set {
            values[claim.key] = newValue ?? 0
            if newValue == nil { mask &= ~(1 << UInt8(claim.key)) } else { mask |= 1 << UInt8(claim.key) }
        }
    }

    /// Whether nothing is asserted.
    public var isEmpty: Bool { mask == 0 }

    /// The asserted claims in the specification's order.
    public var asserted: [(claim: Claim, value: Int8)] {
        Claim.allCases.compactMap { claim in self[claim].map { (claim, $0) } }
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
        var worst: TrustTier?
        for key in 0..<8 where mask & (1 << UInt8(key)) != 0 {
            let tier = Self.tier(of: values[key])
            if tier != .none { worst = min(worst ?? tier, tier) }
        }
        return worst ?? .none
    }
}

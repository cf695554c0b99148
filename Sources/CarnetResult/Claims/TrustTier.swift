/// How far to trust an attester (draft-ietf-rats-ar4si §3.2): the tiers of a status, from best to worst.
public enum TrustTier: String, Sendable, Hashable, CaseIterable, Comparable, Codable {
    case affirming
    case warning
    case contraindicated
    /// Nothing was asserted. A relying party treats it as no better than a contraindication.
    case none

    /// Whether the left tier deserves less trust than the right one.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .none: 0
        case .contraindicated: 1
        case .warning: 2
        case .affirming: 3
        }
    }
}

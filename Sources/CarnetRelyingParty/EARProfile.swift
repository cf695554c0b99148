internal import CarnetResult

/// A generation of EAT Attestation Results: what its tokens say in `eat_profile`, and how they spell their claims.
///
/// A token is read by the spelling of its profile alone. One that also has names of the other spelling is refused: two readers could
/// take it for different things. Two profiles are equal when their URIs are.
public struct EARProfile: Sendable, Hashable {
    /// How the claims are named.
    public enum Names: Sendable, Hashable {
        /// `ear_status`, with `ear_attester_claims` and `ear_verifier_claims`: draft-ietf-rats-ear-04 and later.
        case underscored
        /// `ear_status`, without those two: draft -03.
        case underscoredWithoutClaimSets
        /// `ear.status`, with one policy: the drafts before -03.
        case dotted
    }

    /// The value of `eat_profile`, byte for byte.
    public let uri: String
    public let names: Names

    /// A profile that is not listed here, whose tokens are spelt in this way.
    public init(_ uri: String, names: Names) {
        self.uri = uri
        self.names = names
    }

    /// draft-ietf-rats-ear-04: what Carnet writes.
    public static let draft04 = EARProfile(AttestationResult.profile, names: .underscored)
    /// draft-ietf-rats-ear-03.
    public static let draft03 = EARProfile("tag:ietf.org,2026:rats/ear#03", names: .underscoredWithoutClaimSets)
    /// draft-ietf-rats-ear-01.
    public static let draft01 = EARProfile("tag:ietf.org,2025-07:ear", names: .dotted)
    /// Veraison, before the working group's drafts.
    public static let veraison2023 = EARProfile("tag:github.com,2023:veraison/ear", names: .dotted)
    /// The attestation service of Confidential Containers.
    public static let trustee2024 = EARProfile(
        "tag:github.com,2024:confidential-containers/Trustee", names: .dotted)
    /// The profiles above.
    public static let known: [EARProfile] = [draft04, draft03, draft01, veraison2023, trustee2024]

    /// Whether the URIs are equal.
    public static func == (left: Self, right: Self) -> Bool { left.uri.utf8.elementsEqual(right.uri.utf8) }

    /// Hashes the URI.
    public func hash(into hasher: inout Hasher) { for byte in uri.utf8 { hasher.combine(byte) } }

    var status: String { names == .dotted ? "ear.status" : "ear_status" }
    var vector: String { names == .dotted ? "ear.trustworthiness-vector" : "ear_trustworthiness_vector" }
    var verifierID: String { names == .dotted ? "ear.verifier-id" : "ear_verifier_id" }
    /// An array of policies; a single text in the dotted spelling.
    var policies: String { names == .dotted ? "ear.appraisal-policy-id" : "ear_appraisal_policy_ids" }
    var attesterClaims: String? { names == .underscored ? "ear_attester_claims" : nil }
    var verifierClaims: String? { names == .underscored ? "ear_verifier_claims" : nil }
    /// How the names begin that a token of this profile must not have.
    var foreignPrefix: String { names == .dotted ? "ear_" : "ear." }
}

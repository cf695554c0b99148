public import CarnetResult

/// What a relying party demands of a passport. The defaults are the safe ones; every loosening is visible where it is made.
public struct Expectations: Sendable, Hashable {
    /// The verifier's `iss`, byte for byte.
    public var issuer: String
    /// The relying party's own name, which `aud` must contain.
    public var audience: String
    /// The accepted `eat_profile` values.
    public var profiles: Set<String> = [AttestationResult.profile]
    /// The worst acceptable tier, of the whole and of each required submodule.
    public var minimumTier: TrustTier = .affirming
    /// The submodules that must be there.
    public var requiredSubmodules: Set<String> = [AttestationResult.submodule]
    /// Claims of the vector that must be asserted in each required submodule, with the worst acceptable tier of each.
    public var vectorFloors: [TrustworthinessVector.Claim: TrustTier] = [:]
    /// Policies of which each required submodule must name at least one; empty accepts any. An entry without `@sha256:` accepts every
    /// version of that policy.
    public var policyIDs: Set<String> = []
    /// The shallowest acceptable appraisal.
    public var minimumDepth: AppraisalDepth = .pcrs
    /// The weakest acceptable protection of the bound key, which the submodule `tpm` must state; a result without one says `software`.
    public var minimumKeyProtection: KeyProtection = .tpm
    /// The nonce that `eat_nonce` must be, when the relying party gave one to the attester.
    public var nonce: [UInt8]?
    /// The oldest acceptable `iat`, in seconds before now.
    public var maximumAge: Int64 = 3600
    /// The longest acceptable life, `exp` less `iat`, in seconds.
    public var maximumLifetime: Int64 = AttestationResult.maximumLifetime
    /// Whether a passport must be looked up in its status list, and how old the list may be.
    public var revocation = RevocationExpectation.checked()
    /// How far clocks may differ, in seconds: 0 to 60.
    public var clockSkew: Int64 = 30 {
        didSet { clockSkew = min(max(clockSkew, 0), 60) }
    }

    /// Affirming results of this issuer, meant for this audience, bound to a key in a TPM.
    public init(issuer: String, audience: String) {
        self.issuer = issuer
        self.audience = audience
    }
}

public import CarnetResult

/// What a relying party demands of a passport. The defaults are the safe ones; every loosening is visible where it is made.
public struct Expectations: Sendable, Hashable {
    /// The verifier's `iss`, byte for byte.
    public var issuer: String
    /// The relying party's own name, which `aud` must contain.
    public var audience: String
    /// The accepted profiles: only today's, unless older ones are asked for.
    public var profiles: Set<EARProfile> = [.draft04]
    /// The accepted types of the header (`typ`), in lower case and without `application/`. Older verifiers write `jwt`.
    public var headerTypes: Set<String> = ["eat+jwt"]
    /// What a token may leave out. A claim that is there is checked whatever this says.
    public var toleratedAbsences: Set<OmissibleClaim> = []
    /// The worst acceptable tier, of the whole and of each required submodule.
    public var minimumTier: TrustTier = .affirming
    /// The submodules that must be there.
    public var requiredSubmodules: Set<String> = [AttestationResult.submodule]
    /// Claims of the vector that must be asserted in each required submodule, with the worst acceptable tier of each.
    public var vectorFloors: [TrustworthinessVector.Claim: TrustTier] = [:]
    /// Policies of which each required submodule must name at least one; empty accepts any. An entry without `@sha256:` accepts every
    /// version of that policy.
    public var policyIDs: Set<String> = []
    /// SHA-256 digests of policies, in lower-case hexadecimal, of which each required submodule must name at least one; empty accepts any.
    public var policyDigests: Set<String> = []
    /// The shallowest acceptable appraisal.
    public var minimumDepth: AppraisalDepth = .pcrs
    /// The weakest acceptable protection of the bound key, which the submodule `tpm` must state; a result without one says `software`.
    public var minimumKeyProtection: KeyProtection = .tpm
    /// Labels that the verifier must have put on the machine, which the submodule `tpm` must state; others may be there too.
    public var nodeLabels: [String: String] = [:]
    /// Phases of the boot that the machine must have reached, or must not; the submodule `tpm` must state them.
    public var phases = PhaseExpectation()
    /// Claims of the whole token that must be there with exactly these values, by their names.
    public var claims: [String: ClaimValue] = [:]
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

    /// The submodules that are held to the demands: `tpm` where none is required and something is demanded that only a submodule can meet.
    var examinedSubmodules: Set<String> {
        guard requiredSubmodules.isEmpty,
            !policyIDs.isEmpty || !policyDigests.isEmpty || !vectorFloors.isEmpty || minimumDepth > .pcrs
        else { return requiredSubmodules }
        return [AttestationResult.submodule]
    }

    /// Affirming results of this issuer, meant for this audience, bound to a key in a TPM.
    public init(issuer: String, audience: String) {
        self.issuer = issuer
        self.audience = audience
    }
}

/// What other verifiers' results may leave out where a relying party allows it (``Expectations/toleratedAbsences``).
public enum OmissibleClaim: String, Sendable, Hashable, CaseIterable {
    /// `iss`: then only the key says who issued the token.
    case issuer = "iss"
    /// `aud`: then whoever got the token can show it to anybody.
    case audience = "aud"
    /// `sub`; ``VerifiedResult/subject`` is then empty.
    case subject = "sub"
    /// `jti`; ``VerifiedResult/tokenID`` is then empty.
    case tokenID = "jti"
    /// `exp`: the token then lives as long as ``Expectations/maximumAge`` and ``Expectations/maximumLifetime`` both allow.
    case expiry = "exp"
    /// `nbf`; `iat` then stands in for it.
    case notBefore = "nbf"
    /// `cnf`: then whoever holds the token passes, and no proof of possession can be given.
    case binding = "cnf"
    /// The status of the whole; that of the worst submodule then stands in for it.
    case status = "ear_status"
    /// The header's `kid`, which only a key set of one key can do without.
    case keyID = "kid"
}

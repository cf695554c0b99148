public import ArgumentParser
public import CarnetResult

/// What the bundle demands of every passport.
struct MinimumOptions: ParsableArguments {
    @Option(help: "The worst acceptable tier: affirming or warning.")
    var tier: TrustTier?

    @Option(help: "The shallowest acceptable appraisal: pcrs, event-log or event-log+ima.")
    var depth: AppraisalDepth?

    @Option(help: "The weakest acceptable protection of the bound key: tpm-state, tpm or software.")
    var keyProtection: KeyProtection?

    @Option(help: "A policy that must have been applied; repeat for several.")
    var policyID: [String] = []

    @Option(help: "The SHA-256 digest of a policy that must have been applied; repeat for several.")
    var policyDigest: [String] = []

    @Option(help: "The oldest acceptable passport, in seconds.")
    var maximumAge: Int64?

    @Option(
        help: "The oldest acceptable status list, in seconds: 0 to 86400. Relying parties must look passports up then.")
    var maximumStatusAge: Int64?

    /// Another policy with each demand that is given here in the place of its own.
    func tightening(_ before: MinimumPolicy) -> MinimumPolicy {
        var minimum = before
        minimum.tier = tier ?? before.tier
        minimum.depth = depth ?? before.depth
        minimum.keyProtection = keyProtection ?? before.keyProtection
        if !policyID.isEmpty { minimum.policyIDs = policyID }
        if !policyDigest.isEmpty { minimum.policyDigests = policyDigest.map { $0.lowercased() } }
        minimum.maximumAge = maximumAge ?? before.maximumAge
        minimum.maximumStatusAge = maximumStatusAge ?? before.maximumStatusAge
        return minimum
    }

    /// The demands that are given.
    var given: Set<MinimumMember> { MinimumMember.members(of: tightening(MinimumPolicy())) }
}

/// One demand of a minimum policy, by the name of its option.
enum MinimumMember: String, CaseIterable, ExpressibleByArgument {
    case tier
    case depth
    case keyProtection = "key-protection"
    case policyID = "policy-id"
    case policyDigest = "policy-digest"
    case maximumAge = "maximum-age"
    case maximumStatusAge = "maximum-status-age"

    /// The demands of a policy.
    static func members(of policy: MinimumPolicy) -> Set<Self> {
        Set(
            allCases.filter { member in
                var without = policy
                member.drop(from: &without)
                return without != policy
            })
    }

    func drop(from policy: inout MinimumPolicy) {
        switch self {
        case .tier: policy.tier = nil
        case .depth: policy.depth = nil
        case .keyProtection: policy.keyProtection = nil
        case .policyID: policy.policyIDs = []
        case .policyDigest: policy.policyDigests = []
        case .maximumAge: policy.maximumAge = nil
        case .maximumStatusAge: policy.maximumStatusAge = nil
        }
    }
}

extension TrustTier: ExpressibleByArgument {}

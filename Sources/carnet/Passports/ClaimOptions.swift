import ArgumentParser
import CarnetRelyingParty
import CarnetResult

/// What is demanded of the verdict and of single claims.
struct ClaimOptions: ParsableArguments {
    @Option(help: "The worst acceptable tier: affirming or warning.")
    var tier: TrustTier = .affirming

    @Option(help: "A claim of the vector with its worst acceptable tier, as executables=affirming; repeat for several.")
    var floor: [String] = []

    @Option(help: "A claim of the whole token that must have this value, as name=text; repeat for several.")
    var claim: [String] = []

    @Option(help: "The longest acceptable life of a passport, in seconds.")
    var maximumLifetime: Int64 = AttestationResult.maximumLifetime

    func validate() throws {
        guard [.affirming, .warning].contains(tier) else {
            throw ValidationError("--tier is affirming or warning: anything worse is no reason to grant something.")
        }
    }

    func apply(to expectations: inout Expectations) throws {
        expectations.minimumTier = tier
        expectations.maximumLifetime = maximumLifetime
        for floor in floor {
            let (name, text) = try Self.pair(floor, "--floor")
            guard let claim = TrustworthinessVector.Claim(rawValue: name), let tier = TrustTier(rawValue: text),
                [.affirming, .warning].contains(tier)
            else {
                let names = TrustworthinessVector.Claim.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--floor is one of \(names), then =affirming or =warning; not \(floor).")
            }
            expectations.vectorFloors[claim] = tier
        }
        for claim in claim {
            let (name, text) = try Self.pair(claim, "--claim")
            expectations.claims[name] = .string(text)
        }
    }

    private static func pair(_ text: String, _ option: String) throws -> (String, String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw ValidationError("\(option) is name=value, not \(text).")
        }
        return (String(parts[0]), String(parts[1]))
    }
}

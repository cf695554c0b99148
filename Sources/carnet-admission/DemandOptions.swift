import ArgumentParser
import CarnetResult

/// What a passport has to say.
struct DemandOptions: ParsableArguments {
    /// The worst tier that is taken.
    enum Tier: String, ExpressibleByArgument, CaseIterable {
        case affirming, warning

        var tier: TrustTier { self == .affirming ? .affirming : .warning }
    }

    @Option(
        help: ArgumentHelp("The worst tier of a machine that may be a node: affirming or warning.", valueName: "tier"))
    var minimumTier = Tier.affirming

    @Option(
        help: ArgumentHelp(
            "A policy by which machines have to be appraised, with or without @sha256:. Repeat it for more; by default any.",
            valueName: "identifier"))
    var policy: [String] = []
}

import ArgumentParser
import CarnetAdmission
import CarnetRelyingService
import CarnetResult

/// Whose passports count, and what they have to say.
struct TrustOptions: ParsableArguments {
    /// The worst tier that is taken.
    enum Tier: String, ExpressibleByArgument, CaseIterable {
        case affirming, warning

        var tier: TrustTier { self == .affirming ? .affirming : .warning }
    }

    @Option(
        help: ArgumentHelp("The verifier whose passports count; not needed with a bundle of one.", valueName: "uri"))
    var issuer: String?

    @Option(help: ArgumentHelp("Where that verifier is reached; by default its own name.", valueName: "url"))
    var verifier: String?

    @Option(help: ArgumentHelp("The authorities that vouch for it, PEM, in place of the system's.", valueName: "file"))
    var verifierCaFile: String?

    @Flag(help: "Allow http:// to a verifier on a loopback address.")
    var verifierPlainHttp = false

    @Option(
        help: ArgumentHelp("A trust bundle, read again when it changes, in place of the verifier.", valueName: "file"))
    var bundle: String?

    @Option(help: ArgumentHelp("The thumbprint of the key that signs it.", valueName: "thumbprint"))
    var bundleRoot: String?

    @Option(
        help: ArgumentHelp(
            "The oldest acceptable status list: 120 to 86400, with a bundle 0 to 86400.", valueName: "seconds"))
    var maximumStatusAge: Int64 = 300

    @Option(
        help: ArgumentHelp("The worst tier of a machine that may be a node: affirming or warning.", valueName: "tier"))
    var minimumTier = Tier.affirming

    @Option(
        help: ArgumentHelp(
            "A policy by which machines have to be appraised, with or without @sha256:. Repeat it for more; by default any.",
            valueName: "identifier"))
    var policy: [String] = []

    /// Where trust comes from.
    var origin: TrustOrigin {
        get throws {
            if let bundle {
                guard let bundleRoot else { throw ValidationError("With --bundle, give --bundle-root.") }
                return .bundle(file: bundle, root: bundleRoot, issuer: issuer)
            }
            guard let issuer else {
                throw ValidationError("Whose passports count? Give --issuer, or --bundle and --bundle-root.")
            }
            return .issuer(
                issuer, base: verifier ?? issuer, authorityFile: verifierCaFile, allowsPlainHTTP: verifierPlainHttp)
        }
    }
}

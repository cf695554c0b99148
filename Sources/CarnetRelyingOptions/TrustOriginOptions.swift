package import ArgumentParser
package import CarnetRelyingService

/// Whose passports a relying service believes, and where what it needs for that comes from.
package struct TrustOriginOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The verifier whose passports count; not needed with a bundle of one.", valueName: "uri"))
    package var issuer: String?

    @Option(help: ArgumentHelp("Where that verifier is reached; by default its own name.", valueName: "url"))
    package var verifier: String?

    @Option(help: ArgumentHelp("The authorities that vouch for it, PEM, in place of the system's.", valueName: "file"))
    package var verifierCaFile: String?

    @Flag(help: "Allow http:// to a verifier on a loopback address.")
    package var verifierPlainHttp = false

    @Option(
        help: ArgumentHelp("A trust bundle, read again when it changes, in place of the verifier.", valueName: "file"))
    package var bundle: String?

    // One thumbprint of 64 begins with a dash.
    @Option(
        parsing: .unconditional, help: ArgumentHelp("The thumbprint of the key that signs it.", valueName: "thumbprint")
    )
    package var bundleRoot: String?

    @Option(
        help: ArgumentHelp(
            "The oldest acceptable status list: 120 to 86400, with a bundle 0 to 86400.", valueName: "seconds"))
    package var maximumStatusAge: Int64 = 300

    package init() {}

    /// Where trust comes from.
    package var origin: TrustOrigin {
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

import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult

/// A trust bundle, and what makes it trusted.
struct BundleOptions: ParsableArguments {
    @Option(help: "The file of a trust bundle, instead of --jwks, --issuer and --status-list.")
    var bundle: String?

    @OptionGroup var anchor: BundleAnchor

    func validate() throws {
        guard bundle == nil || anchor.isGiven else {
            throw ValidationError("A bundle needs --root-key, --bundle-state, or both.")
        }
    }

    func verifier(_ expectations: Expectations, issuer: String?) throws -> PassportVerifier {
        guard let file = bundle else { throw ValidationError("Give either --jwks or --bundle.") }
        let bundle = try anchor.open(file)
        let names = bundle.issuers.map(\.name)
        guard issuer.map(names.contains) ?? (names.count == 1) else {
            let what = issuer.map { "no issuer \($0)" } ?? "\(names.count) issuers"
            throw Failure(
                .unreadable,
                "\(file) has \(what): say with --issuer whose passports you take, of \(names.joined(separator: ", ")).")
        }
        do {
            return try PassportVerifier(bundle: bundle, audience: expectations.audience, issuer: issuer) {
                $0 = expectations
            }
        } catch {
            throw Failure(.unreadable, "\(file): \(error). \(error.nextStep).")
        }
    }
}

public import ArgumentParser
import CarnetRelyingParty
public import CarnetResult
import Foundation
import CarnetCommandLine

/// What a relying party knows and demands.
struct PassportOptions: ParsableArguments {
    @Option(help: "The file of the issuer's JWKS; or give --bundle.")
    var jwks: String?

    @OptionGroup var bundle: BundleOptions

    @Option(help: "The verifier that must have issued the passport; with --bundle only where that has several.")
    var issuer: String?

    @Option(help: "Your own name, for which the passport must be meant.")
    var audience: String

    @Option(help: "The oldest acceptable passport, in seconds.")
    var maximumAge: Int64 = 3600

    @OptionGroup var appraisal: AppraisalOptions

    @Option(help: "The weakest acceptable protection of the bound key: tpm-state, tpm or software.")
    var keyProtection: KeyProtection = .tpm

    @OptionGroup var status: StatusListOptions

    @Flag(
        help:
            "Refuse what a list at hand says is withdrawn, however old it is; accept a passport whose list is missing, expired or too old, and say so."
    )
    var statusWhereListed = false

    @Option(help: "A label that the machine must have, as name=value; repeat for several.")
    var label: [String] = []

    @OptionGroup var claims: ClaimOptions
    @OptionGroup var older: OlderPassportOptions

    func validate() throws {
        guard (jwks == nil) != (bundle.bundle == nil) else {
            throw ValidationError("Give either --jwks or --bundle.")
        }
        guard jwks == nil || issuer != nil else { throw ValidationError("With --jwks, --issuer must be given.") }
        guard bundle.bundle == nil || status.files.isEmpty else {
            throw ValidationError("The lists are in the bundle: leave --status-list out.")
        }
        guard !statusWhereListed || !(status.requireStatus || status.skipStatus) else {
            throw ValidationError("--status-where-listed goes neither with --require-status nor with --skip-status.")
        }
    }

    /// - Parameter lists: Status lists besides those of the command line.
    func verifier(with lists: [[UInt8]] = []) throws -> PassportVerifier {
        let expectations = try expectations(issuer ?? "")
        guard let jwks else { return try bundle.verifier(expectations, issuer: issuer) }
        return try status.verifier(jwks: jwks, expectations, with: lists)
    }

    private func expectations(_ issuer: String) throws -> Expectations {
        var expectations = Expectations(issuer: issuer, audience: audience)
        expectations.maximumAge = maximumAge
        appraisal.apply(to: &expectations)
        expectations.minimumKeyProtection = keyProtection
        expectations.revocation = revocation
        for label in label {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("--label is name=value, not \(label).")
            }
            expectations.nodeLabels[String(parts[0])] = String(parts[1])
        }
        try claims.apply(to: &expectations)
        try older.apply(to: &expectations)
        return expectations
    }

    private var revocation: RevocationExpectation {
        statusWhereListed ? .whereListed(maximumStaleness: status.maximumStatusAge) : status.revocation
    }
}

/// The proof that the presenter holds the passport's key.
struct ProofOptions: ParsableArguments {
    @Option(help: "The file of the presenter's proof of possession (DPoP).")
    var proof: String?

    @Option(help: "The request's HTTP method, as the proof must state it.")
    var method: String?

    @Option(help: "The request's URL, as the proof must state it.")
    var url: String?

    @Option(help: "The nonce that you gave to the presenter.")
    var nonce: String?

    func prove(_ result: VerifiedResult, with verifier: PassportVerifier, at now: Int64) throws -> ProvenResult? {
        guard let proof else { return nil }
        guard let method, let url else { throw ValidationError("A proof is for one request: give --method and --url.") }
        return try verifier.prove(
            result, by: Input.token(proof), of: ProvenRequest(method: method, uri: url), nonce: nonce, at: now)
    }
}

extension AppraisalDepth: ExpressibleByArgument {}
extension KeyProtection: ExpressibleByArgument {}

/// Seconds since 1970.
func currentTime() -> Int64 { Int64(Date().timeIntervalSince1970) }

public import ArgumentParser
import CarnetRelyingParty
public import CarnetResult
import Foundation
import CarnetCommandLine
import StrictEncoding

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

    @Option(
        help: "A policy that must have been applied; repeat for several. Without @sha256:… every version is accepted.")
    var policyID: [String] = []

    @Option(help: "The shallowest acceptable appraisal: pcrs, event-log or event-log+ima.")
    var depth: AppraisalDepth = .pcrs

    @Option(help: "The weakest acceptable protection of the bound key: tpm-state, tpm or software.")
    var keyProtection: KeyProtection = .tpm

    @Option(
        name: .customLong("status-list"),
        help: "The file of a status list, as the verifier serves it; repeat for several.")
    var statusLists: [String] = []

    @Option(help: "The oldest acceptable status list, in seconds: 0 to 86400.")
    var maximumStatusAge: Int64 = 300

    @Flag(help: "Refuse a passport that names no status list: nobody could withdraw it.")
    var requireStatus = false

    @Flag(help: "Do not look at status lists: a passport that was withdrawn passes until it expires.")
    var skipStatus = false

    @Flag(
        help:
            "Refuse what a list at hand says is withdrawn, however old it is; accept a passport whose list is missing, expired or too old, and say so."
    )
    var statusWhereListed = false

    @Option(help: "The SHA-256 digest of a policy that must have been applied, in hexadecimal; repeat for several.")
    var policyDigest: [String] = []

    @Option(help: "A label that the machine must have, as name=value; repeat for several.")
    var label: [String] = []

    @OptionGroup var claims: ClaimOptions
    @OptionGroup var older: OlderPassportOptions

    func validate() throws {
        guard (jwks == nil) != (bundle.bundle == nil) else {
            throw ValidationError("Give either --jwks or --bundle.")
        }
        guard jwks == nil || issuer != nil else { throw ValidationError("With --jwks, --issuer must be given.") }
        guard bundle.bundle == nil || statusLists.isEmpty else {
            throw ValidationError("The lists are in the bundle: leave --status-list out.")
        }
        guard (0...86_400).contains(maximumStatusAge) else {
            throw ValidationError("--maximum-status-age is 0 to 86400.")
        }
        guard policyDigest.allSatisfy({ Hexadecimal.decode($0)?.count == 32 }) else {
            throw ValidationError("--policy-digest is 64 hexadecimal digits.")
        }
        guard !statusWhereListed || !(requireStatus || skipStatus) else {
            throw ValidationError("--status-where-listed goes neither with --require-status nor with --skip-status.")
        }
        guard !skipStatus || (statusLists.isEmpty && !requireStatus) else {
            throw ValidationError("--skip-status looks at no list: leave --status-list and --require-status out.")
        }
    }

    /// - Parameter lists: Status lists besides those of the command line.
    func verifier(with lists: [[UInt8]] = []) throws -> PassportVerifier {
        let expectations = try expectations(issuer ?? "")
        guard let jwks else { return try bundle.verifier(expectations, issuer: issuer) }
        do {
            let keySet = try JSONWebKeySet(parsing: Input.bytes(jwks))
            return try PassportVerifier(keySet: keySet, expectations: expectations).checking(
                statusLists(keySet, lists))
        } catch let error as JOSEError {
            throw Failure(.unreadable, "\(jwks): \(error)")
        }
    }

    private func expectations(_ issuer: String) throws -> Expectations {
        var expectations = Expectations(issuer: issuer, audience: audience)
        expectations.maximumAge = maximumAge
        expectations.policyIDs = Set(policyID)
        expectations.minimumDepth = depth
        expectations.minimumKeyProtection = keyProtection
        expectations.revocation = revocation
        expectations.policyDigests = Set(policyDigest.map { $0.lowercased() })
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
        if skipStatus { return .notChecked }
        if statusWhereListed { return .whereListed(maximumStaleness: maximumStatusAge) }
        return .checked(maximumStaleness: maximumStatusAge, requiresStatus: requireStatus)
    }

    private func statusLists(_ keySet: JSONWebKeySet, _ more: [[UInt8]]) throws -> StatusLists {
        var lists = try StatusLists(keySet: keySet)
        let files = try statusLists.map { (name: $0, token: try Input.statusList($0)) }
        for (name, token) in files + more.map({ (name: "The verifier's status list", token: $0) }) {
            do {
                try lists.add(token)
            } catch {
                let isRefused = [.signature, .unknownKey].contains(error.code)
                throw Failure(isRefused ? .refused : .unreadable, "\(name): \(error)")
            }
        }
        return lists
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

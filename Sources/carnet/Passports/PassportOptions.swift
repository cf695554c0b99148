public import ArgumentParser
import CarnetRelyingParty
public import CarnetResult
import Foundation
import CarnetCommandLine

/// What a relying party knows and demands.
struct PassportOptions: ParsableArguments {
    @Option(help: "The file of the issuer's JWKS.")
    var jwks: String

    @Option(help: "The verifier that must have issued the passport.")
    var issuer: String

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

    func verifier() throws -> PassportVerifier {
        var expectations = Expectations(issuer: issuer, audience: audience)
        expectations.maximumAge = maximumAge
        expectations.policyIDs = Set(policyID)
        expectations.minimumDepth = depth
        expectations.minimumKeyProtection = keyProtection
        do {
            return try PassportVerifier(keySet: Input.bytes(jwks), expectations: expectations)
        } catch let error as JOSEError {
            throw Failure(.unreadable, "\(jwks): \(error)")
        }
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

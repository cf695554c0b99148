import Foundation
import JWTKit

/// Verifies one token many times with jwt-kit, its key read once.
///
/// Arguments: token file, PEM file, JWK file, issuer, audience. Prints microseconds of processor time per verification.
@main
struct Peer {
    /// Every claim is read, as a relying party has to.
    struct Claims: JWTPayload {
        struct Verifier: Codable {
            let developer: String
            let build: String
        }
        struct Confirmation: Codable {
            let jkt: String
        }
        struct Submodule: Codable {
            let status: String
            let vector: [String: Int]
            let policies: [String]

            enum CodingKeys: String, CodingKey {
                case status = "ear_status"
                case vector = "ear_trustworthiness_vector"
                case policies = "ear_appraisal_policy_ids"
            }
        }

        let profile: String
        let iss: IssuerClaim
        let sub: SubjectClaim
        let aud: AudienceClaim
        let iat: IssuedAtClaim
        let nbf: NotBeforeClaim
        let exp: ExpirationClaim
        let jti: IDClaim
        let nonce: String
        let verifier: Verifier
        let status: String
        let cnf: Confirmation
        let submods: [String: Submodule]

        enum CodingKeys: String, CodingKey {
            case iss, sub, aud, iat, nbf, exp, jti, cnf, submods
            case profile = "eat_profile"
            case nonce = "eat_nonce"
            case verifier = "ear_verifier_id"
            case status = "ear_status"
        }

        func verify(using algorithm: some JWTAlgorithm) throws {
            try exp.verifyNotExpired()
            try nbf.verifyNotBefore()
            try aud.verifyIntendedAudience(includes: CommandLine.arguments[5])
            guard iss.value == CommandLine.arguments[4], status == "affirming" else {
                throw JWTError.claimVerificationFailure(failedClaim: iss, reason: "another issuer")
            }
        }
    }

    static func main() async throws {
        let token = [UInt8](try Data(contentsOf: URL(filePath: CommandLine.arguments[1]))).filter { $0 != 0x0A }
        let pem = try String(contentsOf: URL(filePath: CommandLine.arguments[2]), encoding: .utf8)
        let keys = JWTKeyCollection()
        await keys.add(ecdsa: try ES256PublicKey(pem: pem))
        var rounds = 0.0
        let start = seconds()
        while seconds() - start < 0.3 {
            for _ in 0..<50 { _ = try await keys.verify(token, as: Claims.self) }
            rounds += 50
        }
        print((seconds() - start) * 1e6 / rounds)
    }

    private static func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    }
}

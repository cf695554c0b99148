import ArgumentParser
import CarnetResult
import Foundation
import StrictEncoding
import CarnetCommandLine

struct InspectTokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Decode a passport.",
        discussion: """
            Examples:
              carnet inspect token passport.jwt
              carnet inspect token - --json < passport.jwt
            """)

    @Argument(help: "The token's file; - is standard input.")
    var file: String

    @Flag(help: "Print header and claims as one JSON object.")
    var json = false

    func run() throws {
        let token = try Input.token(file)
        let (header, payload, root) = try Self.decode(token)
        if json {
            return Output.json(
                text:
                    #"{"header":\#(String(decoding: header, as: UTF8.self)),"claims":\#(String(decoding: payload, as: UTF8.self))}"#
            )
        }
        let kind = root["ear_status"] == nil ? "Token without a verdict: no passport" : "Passport"
        Output.line("\(kind) (\(token.count) bytes), not verified here:")
        Output.table(Self.rows(root))
    }

    static func decode(_ token: [UInt8]) throws(Failure) -> (header: [UInt8], payload: [UInt8], root: JSONNode) {
        do {
            let jws = try CompactJWS(parsing: token)
            guard let header = Base64URL.decode(jws.headerSegment), let payload = Base64URL.decode(jws.payloadSegment)
            else {
                throw Failure(.unreadable, "The token's header or payload is not base64url.")
            }
            _ = try JSONDocument(parsing: header, maximumByteCount: 65_536)
            return (header, payload, try JSONDocument(parsing: payload, maximumByteCount: 65_536).root)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.unreadable, "This is no compact JWS with JSON claims: \(error).")
        }
    }

    private static func rows(_ root: JSONNode) -> [(String, String)] {
        let tpm = root["submods"]?["tpm"]
        let vector = tpm?["ear_trustworthiness_vector"]?.members ?? []
        let claims = tpm?["ear_verifier_claims"], attester = tpm?["ear_attester_claims"]
        let audience = root["aud"]?.string ?? root["aud"]?.elements?.compactMap(\.string).joined(separator: ", ")
        let candidates: [(String, String?)] = [
            ("verdict", root["ear_status"]?.string),
            ("number (jti)", root["jti"]?.string), ("machine", root["sub"]?.string), ("issued by", root["iss"]?.string),
            ("meant for", audience),
            ("issued at", root["iat"].flatMap(time)), ("valid until", root["exp"].flatMap(time)),
            ("bound to key", root["cnf"]?["jkt"]?.string.map { "\($0) (\(claims?["key_protection"]?.string ?? "?"))" }),
            (
                "secrets go to",
                claims?["enc_jwk"] == nil ? nil : "an encryption key in \(claims?["enc_key_protection"]?.string ?? "?")"
            ),
            (
                "state",
                claims?["state"]?["pcrs"]?.string.map {
                    "PCRs \($0)" + (claims?["state"]?["storage_jwk"] == nil ? "" : ", with a storage key to seal to")
                }
            ),
            ("appraised", claims?["appraisal_depth"]?.string),
            ("policy", tpm?["ear_appraisal_policy_ids"]?.elements?.compactMap(\.string).joined(separator: ", ")),
            ("Secure Boot", attester?["secure_boot"]?.boolean.map { $0 ? "enabled" : "disabled" }),
            ("boot number", attester?["reset_count"]?.integer.map(String.init)),
        ]
        let assessments = vector.map { (name: $0.name, value: $0.value.integer.map(assessment) ?? "unreadable") }
        return candidates.compactMap { name, value in value.map { (name, $0.isEmpty ? "none" : $0) } }
            + assessments.map { ($0.name, $0.value) }
    }

    /// A value of the trustworthiness vector in words: the tiers of AR4SI (draft-ietf-rats-ar4si §2.3.2).
    private static func assessment(_ value: Int64) -> String {
        switch value {
        case 2...31: "affirming (\(value))"
        case 32...95: "warning (\(value))"
        case 96...127: "contraindicated (\(value))"
        case -128...(-97): "contraindicated (\(value))"
        case -96...(-33): "warning (\(value))"
        case -32...(-2): "affirming (\(value))"
        default: "nothing asserted (\(value))"
        }
    }

    private static func time(_ node: JSONNode) -> String? {
        node.integer.map { Date(timeIntervalSince1970: TimeInterval($0)).formatted(.iso8601) }
    }
}

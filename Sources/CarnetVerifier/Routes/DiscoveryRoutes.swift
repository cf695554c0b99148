import CarnetRecords
import CarnetResult
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/.well-known/…`: the keys that results are verified with, and where to begin.
struct DiscoveryRoutes: Sendable {
    let issuer: String
    let keys: SigningKeys
    /// Throws when no result could be signed now.
    let isReady: @Sendable () async throws -> Void

    /// What a client may keep for a while: keys are published well before they sign.
    private static let cacheable = HTTPFields([
        HTTPField(name: .cacheControl, value: "public, max-age=\(SigningKeySchedule.keySetMaximumAge)")
    ])

    /// The keys to publish: the one that signs, the next, and those whose tokens still live.
    private func published() async throws -> SigningKeys.Published {
        do {
            return try await keys.published()
        } catch let error as any ProblemConvertible & Error {
            throw error
        } catch {
            throw Problem.unavailable("The signing keys cannot be used now.", retryAfter: 60, cause: "\(error)")
        }
    }

    var routes: [Route] {
        [
            Route(.get, "/.well-known/jwks.json", access: .public) { _ in
                let keySet = try await published().keySet
                return ServiceResponse(.ok, "application/jwk-set+json", keySet.bytes, headers: Self.cacheable)
            },
            Route(.get, "/.well-known/openid-configuration", access: .public) { _ in
                let body = JSONWriter.object { writer in
                    writer.string("issuer", issuer)
                    writer.string("jwks_uri", issuer + "/.well-known/jwks.json")
                    writer.string("status_list_aggregation_endpoint", issuer + "/status-lists")
                    writer.array("response_types_supported") { $0.element("none") }
                    writer.array("subject_types_supported") { $0.element("public") }
                    writer.array("id_token_signing_alg_values_supported") { $0.element("ES256") }
                }
                return ServiceResponse(.ok, "application/json", body, headers: Self.cacheable)
            },
            Route(.get, "/.well-known/veraison/verification", access: .public) { request in
                try await veraison(request)
            },
        ]
    }

    /// Veraison's discovery document. It says whether the verifier works, and is kept by caches only when it does.
    private func veraison(_ request: ServiceRequest) async throws -> ServiceResponse {
        let mediaType = try request.answerType(among: [MediaType.discovery, MediaType.json])
        let published = try await published()
        let works: Bool
        do {
            try await isReady()
            works = true
        } catch {
            request.logger.warning("discovery says DOWN", metadata: ["reason": .string("\(error)")])
            works = false
        }
        let body = JSONWriter.object { writer in
            writer.object("ear-verification-key") { writer in
                published.keySet.keys[published.current]?.writeMembers(to: &writer)
                writer.string("alg", "ES256")
                writer.string("kid", published.current)
            }
            writer.array("media-types") { writer in for type in MediaType.allEvidence { writer.element(type) } }
            writer.array("attestation-schemes") { $0.element("CARNET_TPM") }
            writer.string("version", Build.version)
            writer.string("service-state", works ? "READY" : "DOWN")
            writer.object("api-endpoints") { writer in
                writer.string("newChallengeResponseSession", "/challenge-response/v1/newSession")
            }
        }
        var response = ServiceResponse(.ok, mediaType, body, headers: works ? Self.cacheable : [:])
        response.headers[.vary] = "Accept"
        return response
    }
}

import CarnetResult
import CarnetService
import HTTPTypes
import StrictEncoding

/// `/.well-known/…`: the keys that results are verified with, and where to begin.
struct DiscoveryRoutes: Sendable {
    let issuer: String
    let keys: SigningKeys

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
            Route(.get, "/.well-known/veraison/verification", access: .public) { _ in
                let published = try await published()
                let body = JSONWriter.object { writer in
                    writer.object("ear-verification-key") { writer in
                        published.keySet.keys[published.current]?.writeMembers(to: &writer)
                        writer.string("alg", "ES256")
                        writer.string("kid", published.current)
                    }
                    writer.array("media-types") { $0.element(MediaType.evidence) }
                    writer.string("version", Build.version)
                    writer.string("service-state", "READY")
                    writer.object("api-endpoints") { writer in
                        writer.string("newChallengeResponseSession", "/challenge-response/v1/newSession")
                    }
                }
                return ServiceResponse(
                    .ok, "application/vnd.veraison.discovery+json", body, headers: Self.cacheable)
            },
        ]
    }
}

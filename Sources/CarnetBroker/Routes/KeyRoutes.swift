import CarnetRecords
import CarnetResult
import CarnetService
import HTTPTypes

/// `/.well-known/jwks.json`: the keys with which the broker signs the checkpoints of its ledger. It signs nothing else.
struct KeyRoutes: Sendable {
    let keys: SigningKeys

    var routes: [Route] {
        [
            Route(.get, "/.well-known/jwks.json", access: .public) { _ in
                var response = ServiceResponse(
                    .ok, "application/jwk-set+json", try await keys.published().keySet.bytes)
                response.headers[.cacheControl] = "public, max-age=\(SigningKeySchedule.keySetMaximumAge)"
                return response
            }
        ]
    }
}

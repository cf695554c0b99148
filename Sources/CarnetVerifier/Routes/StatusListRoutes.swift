import CarnetRecords
import CarnetResult
import CarnetService
import HTTPTypes
import StrictEncoding

/// `/status-lists`: which passports were withdrawn, for everybody and about nobody (draft-ietf-oauth-status-list-21 §8, §9).
struct StatusListRoutes: Sendable {
    let publisher: StatusListPublisher

    var routes: [Route] {
        [
            Route(.get, "/status-lists", access: .public) { _ in
                let names = try await publisher.names()
                let body = JSONWriter.object { writer in
                    writer.array("status_lists") { writer in for name in names { writer.element(name) } }
                }
                return ServiceResponse(
                    .ok, "application/json", body, headers: Self.cacheable(StatusListPublisher.timeToLive))
            },
            Route(.get, "/status-lists/{id}", access: .public) { request in
                guard let id = StatusListID(try request.pathParameter("id")),
                    let (token, maximumAge) = try await publisher.token(of: id)
                else {
                    throw Problem.notFound(
                        "There is no such status list. Lists retire when all their tokens have expired.")
                }
                return ServiceResponse(
                    .ok, StatusListToken.mediaType, token, headers: Self.cacheable(maximumAge))
            },
        ]
    }

    private static func cacheable(_ seconds: Int64) -> HTTPFields {
        HTTPFields([HTTPField(name: .cacheControl, value: "public, max-age=\(seconds)")])
    }
}

import Logging
import HTTPTypes
import CarnetService
import Testing

@Suite struct RouteTableTests {
    @Test("A route without an access class stops the service from starting") func unclassified() throws {
        let route = Route(.get, "/forgotten") { _ in .noContent }
        #expect(throws: RouteTableError.unclassified("GET /forgotten")) { try RouteTable([hello(.public), route]) }
        #expect(throws: RouteTableError.unclassified("GET /forgotten")) {
            try HTTPService(
                [route], authenticator: TestAuthenticator(), address: #require(ListenAddress("127.0.0.1:0")),
                security: .plainHTTP, logger: .init(label: "test"))
        }
    }

    @Test("Two routes with the same method and shape stop the service from starting") func duplicates() throws {
        #expect(throws: RouteTableError.duplicate("GET /hello")) {
            try RouteTable([hello(.public), hello(.operator(atLeast: .admin))])
        }
        #expect(throws: RouteTableError.duplicate("GET /nodes/{name}")) {
            try RouteTable([hello(.public, "/nodes/{id}"), hello(.public, "/nodes/{name}")])
        }
        _ = try RouteTable([hello(.public), hello(.public, "/nodes/{id}"), hello(.public, "/nodes/{id}/approval")])
    }
}

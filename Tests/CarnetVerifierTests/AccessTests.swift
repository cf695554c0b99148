import CarnetService
@testable import CarnetRecords
import CarnetVerifier
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Every call that there is, with no credential, a wrong one, one that has expired, one that is too weak, and a good one. That the list of
/// calls is the router's is ``AdministrationTests``'s to say.
@Suite struct AccessTests {
    /// What was answered.
    private struct Outcome: Equatable {
        let status: Int
        let problem: String?
        static let unauthenticated = Outcome(status: 401, problem: "unauthenticated")
        static let expired = Outcome(status: 401, problem: "credential-expired")
        static let forbidden = Outcome(status: 403, problem: "forbidden")
    }

    @Test("Every guarded call refuses every credential but the right ones") func guarded() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            var tokens: [Role: String] = [:], expired: [Role: String] = [:], revoked: [Role: String] = [:]
            for role in Role.allCases {
                expired[role] = try await verifier.token(role, named: "short-\(role.rawValue)", lifetime: 60, client)
                let answer = try await client.send(
                    .post, "/admin/v1/api-tokens", token: admin,
                    #"{"name":"revoked-\#(role.rawValue)","role":"\#(role.rawValue)"}"#)
                revoked[role] = try answer.json["token"]?.string
                let id = try #require(try answer.json["id"]?.string)
                #expect(try await client.call(.delete, "/admin/v1/api-tokens/\(id)", token: admin).status == 204)
            }
            verifier.clock.advance(by: 61)
            for role in Role.allCases { tokens[role] = try await verifier.token(role, named: role.rawValue, client) }
            for call in AdministrationTests.calls {
                func outcome(_ token: String?) async throws -> Outcome {
                    let answer = try await client.call(
                        call.method, call.path, token: token, type: call.body.map { _ in call.type },
                        body: call.body.map { Array($0.utf8) })
                    return Outcome(status: answer.status, problem: answer.problem)
                }
                let name = "\(call.method) \(call.path)"
                #expect(try await outcome(nil) == .unauthenticated, "\(name)")
                let unknown = "carnet-0123456789abcdef.\(String(repeating: "A", count: 43))"
                #expect(try await outcome(unknown) == .unauthenticated, "\(name)")
                let wrong = admin.prefix { $0 != "." } + ".\(String(repeating: "A", count: 43))"
                #expect(try await outcome(String(wrong)) == .unauthenticated, "\(name)")
                for role in Role.allCases {
                    // An expired token is told so whatever it was for; a revoked one is unknown.
                    #expect(try await outcome(expired[role]) == .expired, "\(name) as \(role)")
                    #expect(try await outcome(revoked[role]) == .unauthenticated, "\(name) as \(role)")
                    let answer = try await outcome(tokens[role])
                    if call.roles.contains(role) {
                        #expect(![401, 403].contains(answer.status) && answer.status < 500, "\(name) as \(role)")
                    } else {
                        #expect(answer == .forbidden, "\(name) as \(role)")
                    }
                }
            }
        }
    }

    @Test("Calls that need no credential do not look at one") func open() async throws {
        let verifier = try VerifierUnderTest { $0.servesMetrics = true }
        let routes = try await Verifier(verifier.configuration).routes
        let open = routes.filter { $0.access == .public || $0.access == .attester }
        #expect(open.count >= 14)
        try await verifier.run { client in
            let expired = try await verifier.token(.admin, named: "short", lifetime: 60, client)
            verifier.clock.advance(by: 61)
            for route in open {
                let path = route.path.replacingOccurrences(of: "{id}", with: "x")
                func call(_ token: String?) async throws -> ServiceClient.Answer {
                    try await client.call(
                        route.method, path, token: token, type: route.accepts.first,
                        body: route.accepts.isEmpty ? nil : Array("{}".utf8))
                }
                let without = try await call(nil)
                #expect(![401, 403].contains(without.status), "\(route.method) \(path)")
                for token in ["x", expired] {
                    let answer = try await call(token)
                    #expect(answer.status == without.status && answer.problem == without.problem)
                }
            }
        }
    }
}

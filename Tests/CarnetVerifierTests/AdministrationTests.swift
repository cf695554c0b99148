import Foundation
import CarnetService
@testable import CarnetRecords
import CarnetVerifier
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// The calls of operators, over HTTP.
@Suite struct AdministrationTests {
    static let digest = String(repeating: "ab", count: 32)

    /// Every call that needs a credential, with the roles that may make it.
    /// ``AccessTests`` makes them with every kind of credential.
    static let calls: [(method: HTTPRequest.Method, path: String, body: String?, type: String, roles: Set<Role>)] = [
        (.get, "/admin/v1/nodes", nil, "", [.viewer, .policyAuthor, .admin]),
        (.get, "/admin/v1/nodes/x", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/nodes/x/approval", nil, "", [.admin]),
        (.delete, "/admin/v1/nodes/x", nil, "", [.admin]),
        (.put, "/admin/v1/nodes/x/labels", "{}", "application/json", [.admin]),
        (.get, "/admin/v1/nodes/x/evidence", nil, "", [.viewer, .policyAuthor, .admin]),
        (.get, "/admin/v1/endorsement-keys", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/endorsement-keys", "{}", "application/json", [.admin]),
        (.delete, "/admin/v1/endorsement-keys/\(digest)", nil, "", [.admin]),
        (.get, "/admin/v1/policies", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/policies", "{}", "application/yaml", [.policyAuthor, .admin]),
        (.get, "/admin/v1/policies/\(digest)", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/policies/\(digest)/activation", nil, "", [.policyAuthor, .admin]),
        (.post, "/admin/v1/policies/rehearsal", "{}", "application/yaml", [.policyAuthor, .admin]),
        (.post, "/admin/v1/policies/rollback", "{}", "application/json", [.policyAuthor, .admin]),
        (.post, "/admin/v1/policies/deactivation", "{}", "application/json", [.policyAuthor, .admin]),
        (.get, "/admin/v1/reference-sets", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/reference-sets", "{}", "application/json", [.policyAuthor, .admin]),
        (.get, "/admin/v1/reference-sets/\(digest)", nil, "", [.viewer, .policyAuthor, .admin]),
        (.delete, "/admin/v1/reference-sets/\(digest)", nil, "", [.policyAuthor, .admin]),
        (.get, "/admin/v1/pcr-templates", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/pcr-templates", "{}", "application/yaml", [.policyAuthor, .admin]),
        (.delete, "/admin/v1/pcr-templates/x", nil, "", [.policyAuthor, .admin]),
        (.get, "/admin/v1/api-tokens", nil, "", [.admin]),
        (.post, "/admin/v1/api-tokens", "{}", "application/json", [.admin]),
        (.delete, "/admin/v1/api-tokens/x", nil, "", [.admin]),
        (.get, "/admin/v1/appraisals", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/appraisals/x/reappraisal", nil, "", [.viewer, .policyAuthor, .admin]),
        (.get, "/admin/v1/ledger/chains", nil, "", [.viewer, .policyAuthor, .admin]),
        (.get, "/admin/v1/ledger/entries", nil, "", [.viewer, .policyAuthor, .admin]),
        (.get, "/admin/v1/ledger/checkpoints", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/ledger/checkpoints", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/ledger/pruning", "{}", "application/json", [.admin]),
        (.get, "/admin/v1/revocations", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/revocations", "{}", "application/json", [.admin]),
        (.get, "/admin/v1/signing-keys", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/signing-keys/rotation", "{}", "application/json", [.admin]),
        (.post, "/admin/v1/signing-keys/x/revocation", "{}", "application/json", [.admin]),
        (.get, "/admin/v1/webhooks", nil, "", [.viewer, .policyAuthor, .admin]),
        (.post, "/admin/v1/webhooks", "{}", "application/json", [.admin]),
        (.get, "/admin/v1/webhooks/x", nil, "", [.viewer, .policyAuthor, .admin]),
        (.delete, "/admin/v1/webhooks/x", nil, "", [.admin]),
        (.post, "/admin/v1/webhooks/x/test", nil, "", [.admin]),
        (.post, "/admin/v1/webhooks/x/secret", "{}", "application/json", [.admin]),
        (.get, "/admin/v1/webhooks/x/deliveries", nil, "", [.viewer, .policyAuthor, .admin]),
        (.get, "/background-check/v1/requirements", nil, "", [.relyingParty]),
        (.post, "/background-check/v1/appraisals", "{}", "application/json", [.relyingParty]),
    ]

    @Test("The list of calls that need a credential is complete") func complete() async throws {
        let routes = try await Verifier(VerifierUnderTest { $0.servesMetrics = true }.configuration).routes
        let guarded = routes.filter { $0.access != .public && $0.access != .attester }.map { "\($0.method) \($0.path)" }
        let called = Self.calls.map { call in
            "\(call.method) "
                + call.path.replacingOccurrences(of: Self.digest, with: "{sha256}").replacingOccurrences(
                    of: "/x", with: "/{id}")
        }
        #expect(guarded.sorted() == called.sorted())
        for (route, call) in zip(
            routes.filter { $0.access != .public && $0.access != .attester }.sorted {
                "\($0.method) \($0.path)" < "\($1.method) \($1.path)"
            },
            zip(called, Self.calls).sorted { $0.0 < $1.0 }.map(\.1))
        {
            let admitted = Role.allCases.filter { role in
                route.access?.admits(Principal(id: "x", name: "x", role: role)) == true
            }
            #expect(Set(admitted) == call.roles, "\(route.method) \(route.path)")
            #expect(route.access?.admits(nil) == false)
        }
        let open = routes.filter { $0.access == .public || $0.access == .attester }.map { "\($0.method) \($0.path)" }
        #expect(
            open.sorted() == [
                "DELETE /challenge-response/v1/session/{id}", "GET /.well-known/jwks.json",
                "GET /.well-known/openid-configuration", "GET /.well-known/veraison/verification",
                "GET /challenge-response/v1/session/{id}", "GET /livez", "GET /metrics",
                "GET /readyz",
                "GET /status-lists", "GET /status-lists/{id}",
                "POST /challenge-response/v1/newSession", "POST /challenge-response/v1/session/{id}",
                "POST /enrolment/v1/nodes", "POST /enrolment/v1/nodes/{id}/activation",
            ])
    }

    @Test("API tokens are created, listed without their secret, and revoked") func tokens() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            let created = try await client.send(
                .post, "/admin/v1/api-tokens", token: admin, #"{"name":"https://vault.example","role":"viewer"}"#)
            #expect(created.status == 201)
            let token = try #require(created.json["token"]?.string)
            let id = try #require(created.json["id"]?.string)
            let list = try await client.call(.get, "/admin/v1/api-tokens", token: admin)
            #expect(try list.json["api_tokens"]?.count == 2)
            #expect(!list.text.contains(token.drop { $0 != "." }))
            let again = try await client.send(
                .post, "/admin/v1/api-tokens", token: admin, #"{"name":"https://vault.example","role":"admin"}"#)
            #expect(again.status == 409 && again.problem == "name-taken" && again.member == "name")
            #expect(try await client.call(.get, "/admin/v1/nodes", token: token).status == 200)
            #expect(try await client.call(.delete, "/admin/v1/api-tokens/\(id)", token: admin).status == 204)
            #expect(try await client.call(.get, "/admin/v1/nodes", token: token).status == 401)
            let own = try #require(admin.dropFirst("carnet-".count).split(separator: ".").first)
            let last = try await client.call(.delete, "/admin/v1/api-tokens/\(own)", token: admin)
            #expect(last.status == 409 && last.problem == "last-administrator")
        }
    }

    @Test(
        "A malformed token request names the member",
        arguments: [
            ("", nil), ("[]", nil), ("{", nil), (#"{"name":"a"}"#, "role"), (#"{"role":"admin"}"#, "name"),
            (#"{"name":7,"role":"admin"}"#, "name"), (#"{"name":"a","role":"root"}"#, "role"),
            (#"{"name":"","role":"admin"}"#, "name"), (#"{"name":"a b","role":"admin"}"#, "name"),
            (#"{"name":"a","role":"admin","extra":1}"#, "extra"),
            (#"{"name":"a","role":"admin","lifetime":59}"#, "lifetime"),
            (#"{"name":"a","role":"admin","lifetime":34560001}"#, "lifetime"),
            (#"{"name":"a","role":"admin","lifetime":"90d"}"#, "lifetime"),
            (#"{"name":"a","role":"admin","lifetime":null}"#, "lifetime"),
            (#"{"name":"a","name":"b","role":"admin"}"#, nil),
        ] as [(String, String?)])
    func malformed(_ body: String, _ member: String?) async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let answer = try await client.send(.post, "/admin/v1/api-tokens", token: verifier.administrator, body)
            #expect(answer.status == 400 && answer.problem == "malformed-request")
            #expect(answer.member == member)
        }
    }

    @Test("Endorsement keys are registered once, listed and removed") func endorsementKeys() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            let body = #"{"sha256":"\#(Self.digest)","name":"node-18"}"#
            let created = try await client.send(.post, "/admin/v1/endorsement-keys", token: admin, body)
            #expect(created.status == 201)
            #expect(try await client.send(.post, "/admin/v1/endorsement-keys", token: admin, body).status == 409)
            let list = try await client.call(.get, "/admin/v1/endorsement-keys", token: admin).json
            #expect(list["endorsement_keys"]?.elements?.first?["sha256"]?.string == Self.digest)
            #expect(list["endorsement_keys"]?.elements?.first?["name"]?.string == "node-18")
            let path = "/admin/v1/endorsement-keys/\(Self.digest)"
            #expect(try await client.call(.delete, path, token: admin).status == 204)
            #expect(try await client.call(.delete, path, token: admin).status == 404)
        }
    }

    @Test(
        "A malformed registration names the member",
        arguments: [
            ("{}", "sha256"), (#"{"sha256":"ab"}"#, "sha256"), (#"{"sha256":"zz"}"#, "sha256"),
            (#"{"sha256":"\#(digest)","name":"a/b"}"#, "name"), (#"{"sha256":"\#(digest)","name":""}"#, "name"),
            (#"{"sha256":"\#(digest)","name":"123e4567-e89b-12d3-a456-426614174000"}"#, "name"),
        ])
    func malformedKey(_ body: String, _ member: String) async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let answer = try await client.send(.post, "/admin/v1/endorsement-keys", token: verifier.administrator, body)
            #expect(answer.status == 400 && answer.member == member)
        }
    }

    @Test("What does not exist is not found; a limit is a number") func unknown() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            #expect(try await client.call(.get, "/admin/v1/nodes/x", token: admin).status == 404)
            #expect(try await client.call(.post, "/admin/v1/nodes/x/approval", token: admin).status == 404)
            #expect(try await client.call(.delete, "/admin/v1/nodes/x", token: admin).status == 404)
            #expect(try await client.call(.delete, "/admin/v1/api-tokens/x", token: admin).status == 404)
            for limit in ["0", "501", "x", "-1"] {
                let answer = try await client.call(.get, "/admin/v1/appraisals?limit=\(limit)", token: admin)
                #expect(answer.status == 400 && answer.member == "?limit")
            }
            #expect(try await client.call(.get, "/admin/v1/appraisals?limit=5&node=x", token: admin).status == 200)
        }
    }
}

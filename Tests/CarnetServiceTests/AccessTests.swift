import StrictEncoding
import HTTPTypes
import CarnetService
import ServiceHarness
import Testing

/// One route of each access class, called with each role's token and with credentials that nobody holds.
@Suite struct AccessTests {
    private static let classes: [(path: String, access: AccessClass, admitted: Set<Role>, admitsAnybody: Bool)] = [
        ("/public", .public, [], true),
        ("/attester", .attester, [], true),
        ("/relying-party", .relyingParty, [.relyingParty], false),
        ("/viewer", .operator(atLeast: .viewer), [.viewer, .policyAuthor, .admin], false),
        ("/policy-author", .operator(atLeast: .policyAuthor), [.policyAuthor, .admin], false),
        ("/admin", .operator(atLeast: .admin), [.admin], false),
        ("/nobody", .operator(atLeast: .relyingParty), [], false),
    ]

    @Test("Each class admits its roles and nobody else") func matrix() async throws {
        try await withService(Self.classes.map { hello($0.access, $0.path) }) { client in
            for (path, _, admitted, admitsAnybody) in Self.classes {
                for role in Role.allCases {
                    let answer = try await client.call(.get, path, token: role.rawValue)
                    let expected = admitsAnybody || admitted.contains(role) ? 200 : 403
                    #expect(answer.status == expected, "\(path) for \(role)")
                    if expected == 403 { #expect(answer.problem == "forbidden") }
                }
            }
        }
    }

    @Test(
        "A missing, unknown or malformed credential is refused, and the answer does not tell which",
        arguments: [
            [], [("Authorization", "Bearer unknown")], [("Authorization", "Bearer ")], [("Authorization", "admin")],
            [("Authorization", "Basic admin")], [("Authorization", "Bearer admin admin")],
            [("Authorization", "Bearer  admin")], [("Authorization", "Bearer admin, Bearer admin")],
            [("Authorization", "Bearer admin"), ("Authorization", "Bearer admin")],
            [("Authorization", "Bearer " + String(repeating: "a", count: 513))],
            [("Authorization", "Bearer adm\u{FC}n")],
        ])
    func credentials(_ headers: [(String, String)]) async throws {
        try await withService(Self.classes.map { hello($0.access, $0.path) }) { client in
            let bodies = try await ["/relying-party", "/viewer", "/policy-author", "/admin", "/nobody"].asyncMap {
                path in
                let answer = try await client.call(.get, path, headers: headers)
                #expect(answer.status == 401)
                #expect(answer.problem == "unauthenticated")
                #expect(answer.header("WWW-Authenticate") == "Bearer realm=\"carnet\"")
                return try answer.json["detail"]?.string
            }
            #expect(Set(bodies).count == 1)
        }
    }

    @Test("HEAD is refused as GET is") func head() async throws {
        try await withService([hello(.operator(atLeast: .admin))]) { client in
            let without = try await client.call(.head, "/hello").status
            #expect(without == 401)
            let viewer = try await client.call(.head, "/hello", token: "viewer").status
            #expect(viewer == 403)
            let admin = try await client.call(.head, "/hello", token: "admin").status
            #expect(admin == 200)
        }
    }

    @Test("No spelling of a path gets around its class", arguments: ["//hello", "/hello/", "/./hello", "/%68ello"])
    func paths(_ path: String) async throws {
        try await withService([hello(.operator(atLeast: .admin)), hello(.public, "/public")]) { client in
            let status = try await client.call(.get, path).status
            #expect([401, 404].contains(status))
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}

import BrokerHarness
import CarnetBroker
import CarnetService
import Fixtures
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing

/// Who may call what of a broker.
@Suite struct BrokerAccessTests {
    /// The operators' calls, and the least role of each.
    private static let calls: [(call: String, role: Role)] = [
        ("GET /admin/v1/secrets", .viewer), ("GET /admin/v1/secrets/{repository}/{type}/{tag}", .viewer),
        ("PUT /admin/v1/secrets/{repository}/{type}/{tag}", .admin),
        ("DELETE /admin/v1/secrets/{repository}/{type}/{tag}", .admin),
        ("POST /admin/v1/secrets/{repository}/{type}/{tag}/reading", .admin),
        ("GET /admin/v1/release-policies", .viewer), ("GET /admin/v1/release-policies/{id}", .viewer),
        ("POST /admin/v1/release-policies", .policyAuthor), ("DELETE /admin/v1/release-policies/{id}", .policyAuthor),
        ("GET /admin/v1/escrow", .viewer), ("POST /admin/v1/escrow/destruction", .admin),
        ("POST /admin/v1/escrow/recovery", .admin), ("GET /admin/v1/api-tokens", .admin),
        ("POST /admin/v1/api-tokens", .admin), ("DELETE /admin/v1/api-tokens/{id}", .admin),
        ("GET /admin/v1/signing-keys", .viewer), ("POST /admin/v1/signing-keys/rotation", .admin),
        ("POST /admin/v1/signing-keys/{id}/revocation", .admin), ("GET /admin/v1/ledger/chains", .viewer),
        ("GET /admin/v1/ledger/entries", .viewer), ("GET /admin/v1/ledger/checkpoints", .viewer),
        ("POST /admin/v1/ledger/checkpoints", .viewer), ("POST /admin/v1/ledger/pruning", .admin),
    ]

    @Test("Every call of the operators is in the table with its role, and there is no other") func table() async throws
    {
        let broker = try BrokerUnderTest()
        let routes = try await Broker(broker.configuration).routes.filter { $0.path.hasPrefix("/admin/") }
        #expect(
            Dictionary(uniqueKeysWithValues: routes.map { ("\($0.method) \($0.path)", $0.access) })
                == Dictionary(
                    uniqueKeysWithValues: Self.calls.map { ($0.call, Optional(AccessClass.operator(atLeast: $0.role))) }
                ))
    }

    @Test("Without a token, with one that nobody has, or with too low a role nobody gets in; machines are no operators")
    func refused() async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            let admin = try broker.administrator
            var tokens: [Role: String] = [.admin: admin]
            for role in [Role.viewer, .policyAuthor, .relyingParty] {
                let made = try await client.send(
                    .post, "/admin/v1/api-tokens", token: admin,
                    #"{"name":"\#(role.rawValue)","role":"\#(role.rawValue)"}"#)
                tokens[role] = try made.json["token"]?.string
            }
            let passport = String(decoding: try broker.passport(), as: UTF8.self)
            for (call, least) in Self.calls {
                let parts = call.split(separator: " "), method = HTTPRequest.Method(String(parts[0])) ?? .get
                let path = parts[1].replacing("{repository}", with: "a").replacing("{type}", with: "b")
                    .replacing("{tag}", with: "c").replacing("{id}", with: "none")
                func status(_ token: String?) async throws -> Int {
                    try await client.call(method, String(path), token: token).status
                }
                for stranger in [nil, "unknown", passport, String(admin.dropLast()) + "A"] {
                    let found = try await status(stranger)
                    #expect(found == 401 || stranger == admin, "\(call)")
                }
                for (role, token) in tokens {
                    let mayCall = AccessClass.operator(atLeast: least).admits(
                        Principal(id: "x", name: "x", role: role))
                    let found = try await status(token)
                    #expect((found != 403) == mayCall, "\(call) \(role): \(found)")
                }
            }
        }
    }
}

import BrokerHarness
import CarnetRecords
import CarnetStorage
import Cryptography
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing

/// Disk keys in escrow: only the machine's own, and never lost in between.
@Suite struct EscrowTests {
    private static let path = "/escrow/v1/volumes/root"
    private static let policy = "version: 1\nid: disks\nvolumes: [root]\n"

    private static func deposit(_ blob: [UInt8], recovery: String? = nil) -> String {
        let recovery = recovery.map { ",\"recovery\":\"\($0)\"" } ?? ""
        return
            #"{"blob":"\#(Base64URL.encode(blob))","sealing":{"pcrs":"sha256:0,7","sealed_at":1700000000}\#(recovery)}"#
    }

    private func scene(_ body: @Sendable (BrokerUnderTest, ServiceClient) async throws -> Void) async throws {
        let broker = try BrokerUnderTest()
        try await broker.run { client in
            try await broker.policy(Self.policy, client)
            try await body(broker, client)
        }
    }

    @Test(
        "A machine stores a key, gets every version back, newest first, and drops the old one only when there is a newer"
    )
    func life() async throws {
        try await scene { broker, client in
            let passport = try broker.passport()
            let first = try await broker.machine(.put, Self.path, passport, body: Self.deposit([1]), client).answer
            #expect(first.status == 201, "\(first.text)")
            #expect(try first.json["version"]?.integer == 1)
            let last = try await broker.machine(.delete, Self.path + "/versions/1", passport, body: nil, client).answer
            #expect(last.status == 409 && last.problem == "last-version", "\(last.text)")
            let second = try await broker.machine(.put, Self.path, passport, body: Self.deposit([2]), client).answer
            #expect(second.status == 200)
            #expect(try second.json["version"]?.integer == 2)
            let released = try await broker.machine(.post, Self.path + "/release", passport, client)
            #expect(released.answer.status == 200, "\(released.answer.text)")
            let root = try JSONDocument(parsing: broker.open(released), maximumByteCount: 4096).root
            #expect(root["versions"]?.elements?.compactMap { $0["blob"]?.string } == ["Ag", "AQ"])
            #expect(
                try await broker.machine(.delete, Self.path + "/versions/1", passport, body: nil, client).answer.status
                    == 204)
            let again = try await broker.machine(.post, Self.path + "/release", passport, client)
            let rest = try JSONDocument(parsing: broker.open(again), maximumByteCount: 4096).root
            #expect(rest["versions"]?.elements?.compactMap { $0["version"]?.integer } == [2])
        }
    }

    @Test("Another machine gets nothing by the volume's name, and no policy means no escrow") func others() async throws
    {
        try await scene { broker, client in
            let passport = try broker.passport()
            _ = try await broker.machine(.put, Self.path, passport, body: Self.deposit([1]), client)
            let other = try broker.passport { $0.replacingOccurrences(of: "555555555555", with: "555555555556") }
            let answer = try await broker.machine(.post, Self.path + "/release", other, client).answer
            #expect(answer.status == 404 && answer.problem == "no-escrow", "\(answer.text)")
            let unnamed = try await broker.machine(
                .put, "/escrow/v1/volumes/data", passport, body: Self.deposit([1]), client
            ).answer
            #expect(unnamed.status == 403 && unnamed.problem == "release-denied")
            for body in [
                #"{"blob":""}"#, "{}", #"{"blob":"AQ","recovery":"x"}"#, #"{"blob":"AQ","more":1}"#,
                #"{"blob":"AQ","sealing":{"pcrs":"<x>","sealed_at":1}}"#,
                #"{"blob":"\#(Base64URL.encode([UInt8](repeating: 1, count: 4097)))"}"#,
            ] {
                let bad = try await broker.machine(.put, Self.path, passport, body: body, client).answer
                #expect(bad.status == 400, "\(body.prefix(60)): \(bad.text)")
            }
        }
    }

    @Test("The key of another volume does not take a name's place, unless it says that it does") func otherVolume()
        async throws
    {
        try await scene { broker, client in
            let passport = try broker.passport()
            func put(_ more: String) async throws -> ServiceClient.Answer {
                try await broker.machine(.put, Self.path, passport, body: #"{"blob":"AQ"\#(more)}"#, client).answer
            }
            #expect(try await put(#","volume_id":"aaaa""#).status == 201)
            #expect(try await put(#","volume_id":"aaaa""#).status == 200)
            for other in [#","volume_id":"bbbb""#, "", #","volume_id":"bbbb","replaces":false"#] {
                let refused = try await put(other)
                #expect(refused.status == 409 && refused.problem == "other-volume", "\(refused.text)")
            }
            #expect(try await put(#","volume_id":"bbbb","replaces":true"#).status == 200)
            #expect(try await put(#","volume_id":"a/b""#).status == 400)
            #expect(try await put(#","replaces":1"#).status == 400)
        }
    }

    @Test("A version without a recovery message leaves the one before it recoverable, until that is dropped")
    func recoveries() async throws {
        try await scene { broker, client in
            let passport = try broker.passport(), admin = try broker.administrator
            let body =
                #"{"subject":"urn:carnet:node:11111111-2222-3333-4444-555555555555","volume":"root","reason":"x"}"#
            _ = try await broker.machine(
                .put, Self.path, passport, body: Self.deposit([1], recovery: "a.b.c.d.e"), client)
            _ = try await broker.machine(.put, Self.path, passport, body: Self.deposit([2]), client)
            let kept = try await client.send(.post, "/admin/v1/escrow/recovery", token: admin, body)
            #expect(kept.text == "a.b.c.d.e")
            _ = try await broker.machine(.delete, Self.path + "/versions/1", passport, body: nil, client)
            #expect(try await client.send(.post, "/admin/v1/escrow/recovery", token: admin, body).status == 404)
        }
    }

    @Test("What changes escrow wants the volume's policy, and a proof that nobody used, also after a restart")
    func proofs() async throws {
        let broker = try BrokerUnderTest(), passport = try broker.passport()
        let sealing = #"{"pcrs":"sha256:7","sealed_at":99999999999}"#
        let used = try await broker.run { client in
            try await broker.policy(Self.policy, client)
            _ = try await broker.machine(.put, Self.path, passport, body: Self.deposit([1]), client)
            _ = try await broker.machine(.put, Self.path, passport, body: Self.deposit([2]), client)
            return try await broker.machine(.put, Self.path + "/sealing", passport, body: sealing, client)
        }
        #expect(used.answer.status == 204)
        try await broker.run { client in
            let again = try await broker.send(.put, Self.path + "/sealing", passport, used.proof, body: sealing, client)
            #expect(again.status == 401, "\(again.text)")
            let list = try await client.call(.get, "/admin/v1/escrow", token: try broker.administrator).json
            let sealedAt = try #require(list["volumes"]?.elements?.first?["sealed_at"]?.string)
            #expect(sealedAt < "3000")
            let others = try await broker.policy(
                "version: 1\nid: disks\nvolumes: [root]\nmachines: [urn:carnet:node:99999999-2222-3333-4444-555555555555]\n",
                client)
            #expect(others.status == 201)
            for (method, path, body) in [
                (HTTPRequest.Method.delete, Self.path + "/versions/1", String?.none),
                (.put, Self.path + "/sealing", sealing), (.put, Self.path, Self.deposit([3])),
            ] {
                let refused = try await broker.machine(method, path, passport, body: body, client).answer
                #expect(refused.status == 403, "\(path): \(refused.text)")
            }
        }
    }

    @Test("Versions and volumes of one machine are bounded") func bounds() async throws {
        try await scene { broker, client in
            let passport = try broker.passport()
            var statuses: [Int] = []
            for number in 0..<6 {
                let body = Self.deposit([UInt8(number)])
                statuses.append(try await broker.machine(.put, Self.path, passport, body: body, client).answer.status)
            }
            #expect(statuses == [201, 200, 200, 200, 409, 409])
        }
    }

    @Test(
        "Operators see what is sealed to what, and a lost machine's keys are destroyed, with the reason in the ledger")
    func destroyed() async throws {
        try await scene { broker, client in
            let passport = try broker.passport(), admin = try broker.administrator
            _ = try await broker.machine(.put, Self.path, passport, body: Self.deposit([1]), client)
            _ = try await broker.machine(
                .put, Self.path + "/sealing", passport, body: #"{"pcrs":"sha256:7","sealed_at":1700000001}"#, client)
            let list = try await client.call(.get, "/admin/v1/escrow", token: admin)
            let volume = try #require(try list.json["volumes"]?.elements?.first)
            #expect(volume["sealed_pcrs"]?.string == "sha256:7" && volume["recoverable"]?.boolean == false)
            let subject = try #require(volume["subject"]?.string)
            let body = #"{"subject":"\#(subject)","reason":"stolen"}"#
            let done = try await client.send(.post, "/admin/v1/escrow/destruction", token: admin, body)
            #expect(done.status == 200, "\(done.text)")
            #expect(try await client.send(.post, "/admin/v1/escrow/destruction", token: admin, body).status == 404)
            let gone = try await broker.machine(.post, Self.path + "/release", passport, client).answer
            #expect(gone.status == 404)
            let database = try await broker.openDatabase()
            #expect(try await database.read { try $0.rows("SELECT * FROM escrow").isEmpty })
            #expect(try await actions(broker).contains("escrow.destroy: stolen"))
        }
    }

    @Test("The recovery message is for an administrator with a reason") func recovery() async throws {
        try await scene { broker, client in
            let passport = try broker.passport(), admin = try broker.administrator
            _ = try await broker.machine(
                .put, Self.path, passport, body: Self.deposit([1], recovery: "a.b.c.d.e"), client)
            let viewer = try await client.send(
                .post, "/admin/v1/api-tokens", token: admin, #"{"name":"v","role":"viewer"}"#)
            let token = try #require(try viewer.json["token"]?.string)
            let subject = "urn:carnet:node:11111111-2222-3333-4444-555555555555"
            let body = #"{"subject":"\#(subject)","volume":"root","reason":"board replaced"}"#
            #expect(try await client.send(.post, "/admin/v1/escrow/recovery", token: token, body).status == 403)
            let mute = #"{"subject":"\#(subject)","volume":"root","reason":""}"#
            #expect(try await client.send(.post, "/admin/v1/escrow/recovery", token: admin, mute).status == 400)
            let answer = try await client.send(.post, "/admin/v1/escrow/recovery", token: admin, body)
            #expect(answer.status == 200 && answer.text == "a.b.c.d.e")
            #expect(try await actions(broker).contains("escrow.recover: board replaced"))
        }
    }

    @Test("A stolen database holds no blob that can be read, and its rows open nowhere else") func stolen() async throws
    {
        try await scene { broker, client in
            let blob = Array("a TPM's private area".utf8)
            _ = try await broker.machine(.put, Self.path, broker.passport(), body: Self.deposit(blob), client)
            let database = try await broker.openDatabase()
            let row = try await database.read { try $0.row("SELECT wrapped FROM escrow") }
            #expect(try row?.bytes("wrapped").firstRange(of: blob) == nil)
            try await database.write { try $0.execute("UPDATE escrow SET version = 7") }
            let answer = try await broker.machine(.post, Self.path + "/release", broker.passport(), client).answer
            #expect(answer.status == 503, "\(answer.text)")
        }
    }

    /// What operators did, with their reasons, as the ledger has it.
    private func actions(_ broker: BrokerUnderTest) async throws -> [String] {
        let database = try await broker.openDatabase()
        let rows = try await database.read { try $0.rows("SELECT body FROM ledger WHERE kind = 'operation'") }
        return try rows.map { row in
            let body = try JSONDocument(parsing: row.bytes("body"), maximumByteCount: 65_536).root
            return "\(body["action"]?.string ?? ""): \(body["details"]?["reason"]?.string ?? "")"
        }
    }
}

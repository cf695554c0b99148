import CarnetRelyingParty
import CarnetResult
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Cryptography
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Status lists as the verifier serves them: at 1,800,000,000 seconds, which begins hour 500,000.
@Suite struct StatusListTests {
    static let hour: Int64 = 500_000
    static let start: Int64 = 1_800_000_000

    private func get(_ client: ServiceClient, _ id: String) async throws -> ServiceClient.Answer {
        try await client.call(.get, "/status-lists/" + id)
    }

    @Test("A list is served signed, named, dated and cacheable, before any token refers to it") func served()
        async throws
    {
        let verifier = try VerifierUnderTest(startingAt: Self.start + 60)
        try await verifier.run { client in
            let answer = try await get(client, "500000-0")
            #expect(answer.status == 200 && answer.header("content-type") == "application/statuslist+jwt")
            let age = try #require(answer.header("cache-control")?.split(separator: "=").last.flatMap { Int($0) })
            #expect((1...60).contains(age) && answer.header("cache-control")?.hasPrefix("public, max-age=") == true)
            let keySet = try JSONWebKeySet(parsing: await client.call(.get, "/.well-known/jwks.json").body)
            let token = try UnverifiedStatusListToken(parsing: answer.body).verified(by: keySet)
            #expect(token.uri == "https://verifier.example/status-lists/500000-0")
            #expect((0...30).contains(verifier.clock.now - token.issuedAt) && token.timeToLive == 60)
            #expect(token.expiresAt == Self.start + 3600 + 120)
            #expect(token.list.count == 1 << 20 && token.list.bytes.allSatisfy { $0 == 0 })
            #expect(answer.body.count < 1024, "a list of a million valid entries is small")
            #expect(try await get(client, "500000-0").body == answer.body, "signed once")
            verifier.clock.advance(by: 61)
            let later = try UnverifiedStatusListToken(parsing: await get(client, "500000-0").body).verified(by: keySet)
            #expect(later.issuedAt > token.issuedAt + 30, "signed again when its time to live is over")
        }
    }

    @Test("All lists that are served are listed, and those that are listed are served") func listed() async throws {
        for (offset, hours) in [(60, [0, 1]), (30, [-1, 0, 1]), (3_001, [0, 1, 2])] as [(Int64, [Int64])] {
            let verifier = try VerifierUnderTest(startingAt: Self.start + offset + (offset == 60 ? 100 : 0))
            try await verifier.run { client in
                let answer = try await client.call(.get, "/status-lists")
                let names = try answer.json["status_lists"]?.elements?.compactMap(\.string)
                #expect(names == hours.map { "https://verifier.example/status-lists/\(Self.hour + $0)-0" })
                #expect(try await client.statusLists().held.count == hours.count)
                let metadata = try await client.call(.get, "/.well-known/openid-configuration").json
                let endpoint = metadata["status_list_aggregation_endpoint"]?.string
                #expect(endpoint == "https://verifier.example/status-lists")
            }
        }
    }

    @Test(
        "Another spelling, a list that is not begun, one that has retired and one of the far future are not there",
        arguments: [
            "500000", "500000-", "500000-00", "0500000-0", "+500000-0", "500000-+0", "-500000-0", "500000-1-0",
            "500000-1", "500000-64", "500000-99999999999", "499999-0", "500003-0", "9999999999999-0", "x", "%35-0",
        ])
    func absent(_ id: String) async throws {
        try await VerifierUnderTest(startingAt: Self.start + 200).run { client in
            let answer = try await get(client, id)
            #expect(answer.status == 404)
        }
    }

    @Test("A list retires two minutes after the last of its tokens has expired, and not before") func retirement()
        async throws
    {
        let verifier = try VerifierUnderTest(startingAt: Self.start + 3600 - 600)
        try await verifier.run { client in
            let last = try await get(client, "500000-0")
            verifier.clock.advance(by: 721)
            let gone = try await get(client, "500000-0")
            #expect(last.status == 200 && gone.status == 404)
        }
    }

    @Test("A passport's index is in the list of the hour in which it expires, and its list says nothing about it")
    func reference() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            var indices: Set<Int> = []
            for _ in 0..<8 {
                let token = try #require(try await machine.answer(machine.session()).json["result"]?.string)
                let claims = try JSONDocument(
                    parsing: CompactJWS(parsing: Array(token.utf8)).payload, maximumByteCount: 8192
                ).root
                let reference = try #require(claims["status"].flatMap(StatusReference.init(claim:)))
                let hour = try #require(claims["exp"]?.integer) / 3600
                #expect(reference.uri == "https://verifier.example/status-lists/\(hour)-0")
                indices.insert(reference.index)
            }
            // Eight in order, or near to one another, would be one chance in very many.
            #expect(indices.count == 8 && (indices.max() ?? 0) - (indices.min() ?? 0) > 10_000)
        }
    }

    @Test("Many who ask at once for a list that has to be made get the same one") func atOnce() async throws {
        let verifier = try VerifierUnderTest(startingAt: Self.start + 200)
        try await verifier.run { client in
            let bodies = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<32 { group.addTask { try await get(client, "500000-0").body } }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            // Each signature is another, also over the same bytes.
            #expect(bodies.count == 1)
        }
    }

    @Test("A list that changed within a second is newer than the one before") func withinASecond() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let token = try #require(try await machine.answer(machine.session()).json["result"]?.string)
            let claims = try JSONDocument(
                parsing: CompactJWS(parsing: Array(token.utf8)).payload, maximumByteCount: 8192
            ).root
            let reference = try #require(claims["status"].flatMap(StatusReference.init(claim:)))
            let keys = try await JSONWebKeySet(parsing: client.call(.get, "/.well-known/jwks.json").body)
            func list() async throws -> [UInt8] {
                try await client.call(.get, String(reference.uri.dropFirst(VerifierUnderTest.issuer.count))).body
            }
            let before = try await list()
            let identifier = try #require(claims["jti"]?.string)
            let revoked = try await client.send(
                .post, "/admin/v1/revocations", token: verifier.administrator,
                #"{"token":"\#(identifier)","reason":"x"}"#)
            #expect(revoked.status == 201)
            let after = try await list()
            var lists = try StatusLists([before], keySet: keys)
            let isTaken = try lists.add(after), comesBack = try lists.add(before)
            #expect(isTaken && !comesBack)
            let times = try [before, after].map {
                try UnverifiedStatusListToken(parsing: $0).unverifiedContent().issuedAt
            }
            #expect(times[0] < times[1])
        }
    }
}

@testable import CarnetService
import CarnetEvidence
import CarnetStorage
@testable import CarnetRecords
@testable import CarnetVerifier
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Lists that grow with the fleet or with time.
@Suite struct PageTests {
    /// All pages of a list, as the identifiers of what they hold.
    private static func pages(
        _ client: ServiceClient, _ path: String, _ member: String, _ key: String, token: String, limit: Int
    ) async throws -> [[String]] {
        var pages: [[String]] = [], next: String?
        repeat {
            let after = next.map { "&after=\($0)" } ?? ""
            let answer = try await client.call(.get, "\(path)?limit=\(limit)\(after)", token: token)
            let elements = try #require(try answer.json[member]?.elements, "\(answer.text)")
            pages.append(elements.compactMap { $0[key]?.string })
            next = try answer.json["next"]?.string
        } while next != nil && pages.count < 20
        return pages
    }

    private static func add(_ numbers: ClosedRange<Int>, to verifier: VerifierUnderTest) async throws {
        let store = NodeStore(try await verifier.configurationDatabase.open(timeout: 5, maximumConnectionCount: 1))
        for number in numbers {
            let key = UInt8(number)
            _ = try await store.add(
                "id-\(number)", identity(name: number, endorsementKey: key, attestationKey: key),
                boot: BootCounters(resetCount: 1, restartCount: 1, clock: 1), firmwareVersion: 1, approver: "op", now: 1
            )
        }
    }

    @Test("Machines come in pages by name; one that is removed meanwhile ends nothing") func nodes() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            try await Self.add(1...7, to: verifier)
            let pages = try await Self.pages(client, "/admin/v1/nodes", "nodes", "name", token: admin, limit: 3)
            #expect(pages == [["node-1", "node-2", "node-3"], ["node-4", "node-5", "node-6"], ["node-7"]])
            let whole = try await Self.pages(client, "/admin/v1/nodes", "nodes", "name", token: admin, limit: 7)
            #expect(whole.map(\.count) == [7])
            let first = try await client.call(.get, "/admin/v1/nodes?limit=3", token: admin).json["next"]?.string
            #expect(try await client.call(.delete, "/admin/v1/nodes/id-3", token: admin).status == 204)
            let second = try await client.call(.get, "/admin/v1/nodes?limit=2&after=\(first ?? "")", token: admin).json
            #expect(second["nodes"]?.elements?.compactMap { $0["id"]?.string } == ["id-4", "id-5"])
            let named = try await client.call(.get, "/admin/v1/nodes?name=node-6", token: admin).json
            #expect(named["nodes"]?.elements?.compactMap { $0["id"]?.string } == ["id-6"] && named["next"] == nil)
            #expect(named["nodes"]?.elements?.first?["ek_sha256"]?.string == String(repeating: "06", count: 32))
            let none = try await client.call(.get, "/admin/v1/nodes?name=node-9", token: admin).json
            #expect(none["nodes"]?.elements?.isEmpty == true)
        }
    }

    @Test("Nobody gets more than a hundred at once who does not ask for more") func usualLimit() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            try await Self.add(1...101, to: verifier)
            let answer = try await client.call(.get, "/admin/v1/nodes", token: admin).json
            #expect(answer["nodes"]?.elements?.count == 100 && answer["next"]?.string != nil)
        }
    }

    @Test("Registered keys, policies and API tokens come in pages, oldest first, each once") func others() async throws
    {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            var keys: [String] = [], policies: [String] = [], tokens: [String] = []
            for number in 1...5 {
                let digest = String(repeating: "0\(number)", count: 32)
                _ = try await client.send(
                    .post, "/admin/v1/endorsement-keys", token: admin, #"{"sha256":"\#(digest)"}"#)
                keys.append(digest)
                let stored = try await client.send(
                    .post, "/admin/v1/policies", token: admin, type: "application/yaml",
                    "version: 1\nid: p\(number)\nevent_log: optional\nbanks:\n  sha256:\n    0: \(String(repeating: "ab", count: 32))\n"
                )
                policies.append(try #require(try stored.json["sha256"]?.string, "\(stored.text)"))
                let token = try await client.send(
                    .post, "/admin/v1/api-tokens", token: admin, #"{"name":"t\#(number)","role":"viewer"}"#)
                tokens.append(try token.json["id"]?.string ?? "")
                verifier.clock.advance(by: number == 3 ? 2 : 0)
            }
            for (path, member, key, made) in [
                ("/admin/v1/endorsement-keys", "endorsement_keys", "sha256", keys),
                ("/admin/v1/policies", "policies", "sha256", policies),
                ("/admin/v1/api-tokens", "api_tokens", "id", tokens),
            ] {
                let pages = try await Self.pages(client, path, member, key, token: admin, limit: 2)
                #expect(pages.allSatisfy { (1...2).contains($0.count) } && pages.count == 3, "\(path) \(pages)")
                let all = pages.flatMap(\.self)
                #expect(Set(all).count == all.count && Set(made).isSubset(of: all), "\(path)")
                #expect(Set(all.suffix(2)) == Set(made.suffix(2)), "\(path)")
                for query in ["limit=0", "limit=1001", "limit=x", "before=1"] {
                    #expect(
                        try await client.call(.get, "\(path)?\(query)", token: admin).status == 400, "\(path) \(query)")
                }
                for after in ["x", "1", "1763756077.x!", "9999999999999999999.00", "."]
                where key != "id" || after.first != "1" {
                    let answer = try await client.call(.get, "\(path)?after=\(after)", token: admin)
                    #expect(answer.status == 400 && answer.member == "?after", "\(path) \(after)")
                }
            }
        }
    }

    @Test("What operators read that is large stands in a queue of its own, and nothing of the machines does")
    func queue()
        async throws
    {
        let routes = try await Verifier(VerifierUnderTest().configuration).routes
        func queue(_ label: String) -> WorkQueue? { routes.first { "\($0.method) \($0.path)" == label }?.queue }
        let desk = try #require(queue("GET /admin/v1/nodes"))
        let work = try #require(queue("POST /challenge-response/v1/session/{id}"))
        #expect(desk !== work)
        for call in [
            "GET /admin/v1/nodes/{id}/evidence", "GET /admin/v1/endorsement-keys", "GET /admin/v1/policies",
            "POST /admin/v1/policies/rehearsal", "GET /admin/v1/reference-sets/{sha256}",
            "POST /admin/v1/reference-sets",
            "GET /admin/v1/pcr-templates", "GET /admin/v1/api-tokens", "GET /admin/v1/appraisals",
            "POST /admin/v1/appraisals/{id}/reappraisal", "GET /admin/v1/ledger/chains", "GET /admin/v1/ledger/entries",
            "GET /admin/v1/ledger/checkpoints", "GET /admin/v1/revocations",
        ] { #expect(queue(call) === desk, "\(call)") }
        for route in routes where !route.path.hasPrefix("/admin/") { #expect(route.queue !== desk, "\(route.path)") }
    }
}

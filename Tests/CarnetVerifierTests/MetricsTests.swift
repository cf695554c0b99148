import CarnetService
@testable import CarnetRecords
import CarnetVerifier
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@Suite struct MetricsTests {
    private static func metrics(_ client: ServiceClient) async throws -> MetricsText {
        try MetricsText(parsing: await client.call(.get, "/metrics").text)
    }

    @Test("Appraisals, tokens, stages, keys, ledger and process are counted, and no secret and no machine is named")
    func counting() async throws {
        let verifier = try verifierWithPolicy { $0.servesMetrics = true }
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let session = try await machine.session()
            let passport = try #require(try await machine.answer(session).json["result"]?.string)
            let wrong = try await machine.session()
            _ = try await machine.answer(wrong) { $0.nonce[0] ^= 1 }
            _ = try await machine.send([0x7B], to: machine.session())
            _ = try await client.call(.get, "/status-lists/\(Int(verifier.clock.now / 3600))-0")
            let answer = try await client.call(.get, "/metrics")
            #expect(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
            let metrics = try MetricsText(parsing: answer.text)
            #expect(metrics["carnet_appraisals_total{call=\"passport\",verdict=\"affirming\"}"] == 1)
            #expect(metrics["carnet_appraisals_total{call=\"passport\",verdict=\"failed\"}"] == 1)
            #expect(metrics["carnet_appraisals_total{call=\"passport\",verdict=\"unreadable\"}"] == 1)
            #expect(metrics["carnet_appraisal_first_findings_total{rule=\"nonce\"}"] == 1)
            #expect(metrics["carnet_tokens_issued_total"] == 1)
            for stage in ["appraise", "record", "sign"] {
                #expect(metrics["carnet_appraisal_duration_seconds_count{stage=\"\(stage)\"}"] == 1, "\(stage)")
            }
            #expect(metrics["carnet_appraisal_duration_seconds_count{stage=\"authenticate\"}"] == 2)
            let route = "route=\"/challenge-response/v1/session/{id}\",method=\"POST\""
            #expect(metrics["carnet_http_requests_total{\(route),status=\"2xx\"}"] == 2)
            #expect(metrics["carnet_http_requests_total{\(route),status=\"4xx\"}"] == 1)
            #expect(metrics["carnet_http_request_duration_seconds_count{\(route)}"] == 3)
            #expect(metrics["carnet_http_requests_in_flight"] == 1)
            #expect(metrics["carnet_ledger_entries"] >= 4)
            #expect((0...60).contains(metrics["carnet_signing_key_age_seconds"]))
            #expect(metrics["carnet_signing_key_rotation_seconds"] > 39 * 86_400)
            #expect(metrics["process_open_fds"] > 3 && metrics["process_resident_memory_bytes"] > 1_000_000)
            #expect(abs(metrics["process_start_time_seconds"] - Date.now.timeIntervalSince1970) < 86_400)
            let nodes = try await client.call(.get, "/admin/v1/nodes", token: verifier.administrator).json
            let node = try #require(nodes["nodes"]?.elements?.first)
            let secrets = [
                passport, String(passport.split(separator: ".")[2]), Base64URL.encode(session.nonce),
                Base64URL.encode(wrong.nonce), Hexadecimal.encode(session.nonce), String(session.path.suffix(40)),
                try verifier.administrator, try #require(node["id"]?.string), try #require(node["name"]?.string),
            ]
            for (index, secret) in secrets.enumerated() { #expect(!answer.text.contains(secret), "secret \(index)") }
        }
    }

    @Test("A thousand hostile paths and methods add no series") func cardinality() async throws {
        let verifier = try VerifierUnderTest { $0.servesMetrics = true }
        try await verifier.run { client in
            _ = try await client.call(.get, "/hostile")
            let first = try #require(HTTPRequest.Method("HOSTILE"))
            _ = try await client.call(first, "/hostile")
            _ = try await client.call(.get, "/status-lists/x")
            _ = try await Self.metrics(client)
            let before = Set(try await Self.metrics(client).series.keys)
            for number in 0..<334 {
                let method = try #require(HTTPRequest.Method("M\(number)"))
                _ = try await client.call(.get, "/hostile-\(number)")
                _ = try await client.call(method, "/livez-\(number)")
                _ = try await client.call(.get, "/status-lists/\(number)x")
            }
            let after = Set(try await Self.metrics(client).series.keys)
            // The first checkpoint of the ledger may have been made meanwhile.
            #expect(after.subtracting(before).isSubset(of: ["carnet_ledger_checkpoint_age_seconds"]))
        }
    }

    @Test("Failures of the database are counted by code") func database() async throws {
        let verifier = try VerifierUnderTest {
            $0.databaseTimeout = 0.5
            $0.servesMetrics = true
        }
        try await verifier.run { client in
            let key = "carnet_database_errors_total{code=\"unavailable\"}"
            #expect(try await Self.metrics(client)[key] == 0)
            try await verifier.database.whileLocked { _ = try await client.call(.get, "/readyz") }
            #expect(try await Self.metrics(client)[key] >= 1)
        }
    }

    @Test("Metrics are served only when asked for, and then where") func places() async throws {
        try await VerifierUnderTest().run { client in
            let status = try await client.call(.get, "/metrics").status
            #expect(status == 404)
        }
        let (ports, announce) = AsyncStream<Int>.makeStream()
        let configuration = try VerifierUnderTest { $0.metricsAddress = ListenAddress("127.0.0.1:0") }.configuration
        try await RunningService.with({ listening in
            try await Verifier(configuration, onMetricsListening: { announce.yield($0) }, onListening: listening)
        }) { client in
            #expect(try await client.call(.get, "/metrics").status == 404)
            let port = try #require(await ports.first { _ in true })
            let own = ServiceClient(port: port)
            let refused = try await Self.metrics(own).series.filter {
                $0.key.hasPrefix("carnet_http_requests_total{") && $0.key.hasSuffix("method=\"GET\",status=\"4xx\"}")
            }
            #expect(Array(refused.values) == [1], "\(refused)")
            #expect(try await own.call(.get, "/livez").status == 404)
        }
    }

    @Test("Every expression of the dashboard names metrics that exist") func dashboard() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = try Data(contentsOf: root.appending(path: "Docs/Examples/grafana-dashboard.json"))
        let document = try JSONDocument(parsing: Array(file), maximumByteCount: 1 << 20).root
        let expressions = (document["panels"]?.elements ?? []).flatMap { panel in
            (panel["targets"]?.elements ?? []).compactMap { $0["expr"]?.string }
        }
        #expect(expressions.count >= 12)
        for name in ["attempts_total", "messages_waiting", "receivers_failing", "messages_lost_total"] {
            #expect(expressions.contains { $0.contains("carnet_webhook_" + name) }, "\(name)")
        }
        try await VerifierUnderTest { $0.servesMetrics = true }.run { client in
            let types = try await Self.metrics(client).types
            let names = types.flatMap { name, type in
                type == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
            }
            for expression in expressions {
                let words = expression.split { !$0.isLetter && $0 != "_" }
                let used = words.filter { $0.hasPrefix("carnet_") || $0.hasPrefix("process_") }
                #expect(!used.isEmpty, "\(expression)")
                for name in used { #expect(names.contains(String(name)), "\(name)") }
            }
        }
    }

    @Test(
        "The parser of these tests is strict",
        arguments: [
            "a_total 1\n", "# HELP a_total x\n# TYPE a_total counter\na_total 1",
            "# HELP a_total x\n# TYPE a_total counter\na_total -1\n",
            "# HELP a_total x\n# TYPE a_total counter\nb_total 1\n",
            "# HELP a_total x\n# TYPE a_total counter\na_total 1\na_total 1\n",
            "# HELP a x\n# TYPE a counter\na 1\n", "# HELP a x\n# TYPE a gauge\na{b=c} 1\n",
            "# HELP a x\n# TYPE a gauge\na{b=\"c} 1\n", "# HELP a x\n# TYPE a gauge\na one\n",
            "# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        ])
    func strictness(_ text: String) { #expect(throws: MetricsText.Malformed.self) { try MetricsText(parsing: text) } }
}

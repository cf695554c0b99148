import CarnetEvidence
import HTTPTypes
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Logs of sizes that no machine has, sent to a verifier.
@Suite("Bounds of logs that are sent", .timeLimit(.minutes(5)))
struct LogBoundTests {
    private func withMachine(_ body: @Sendable (SimulatedMachine, ServiceClient) async throws -> Void) async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            try await body(machine, client)
        }
    }

    @Test("A log of no bytes, of one, and of padding alone: the chain is broken, and the finding says why")
    func tiny() async throws {
        let logs: [([UInt8]?, String)] = [
            (nil, "event-log-missing"), ([], "event-log-missing"), ([0], "event-log-unreadable"),
            ([0xFF], "event-log-unreadable"), ([UInt8](repeating: 0, count: 4096), "event-log-unreadable"),
        ]
        try await withMachine { machine, _ in
            for (log, rule) in logs {
                let answer = try await machine.answer(machine.session()) { $0.log = log }.json
                #expect(answer["status"]?.string == "failed" && answer["result"] == nil)
                #expect(answer["findings"]?.elements?.first?["rule"]?.string == rule, "\(log?.count ?? -1) bytes")
            }
        }
    }

    @Test("A log of a mebibyte is looked at; with one byte more the evidence is refused, and its member named")
    func large() async throws {
        try await withMachine { machine, _ in
            let most = Evidence.maximumEventLogByteCount, good = SimulatedTPM.goodLog.bytes
            let padded = good + [UInt8](repeating: 0, count: most - good.count)
            let read = try await machine.answer(machine.session()) { $0.log = padded }
            #expect(try read.json["status"]?.string == "complete")
            let refused = try await machine.answer(machine.session()) { $0.log = padded + [0] }
            #expect(refused.status == 400 && refused.member == "event_log")
            #expect(refused.text.contains("\(most)"), "\(refused.text)")
        }
    }

    @Test("A log of 64 MB is refused by its announced length, before a byte of it is read")
    func huge() async throws {
        try await withMachine { machine, client in
            let session = try await machine.session()
            for path in [session.path, "/background-check/v1/appraisals"] {
                let connection = try RawConnection(port: client.port)
                connection.send(
                    "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(Evidence.mediaType)\r\n"
                        + "Content-Length: \(64 << 20)\r\n\r\n{")
                let answer = await connection.readUntilClosed()
                // Who asks for a background check without a token learns no more than that.
                let expected = path == session.path ? "HTTP/1.1 413" : "HTTP/1.1 401"
                #expect(answer?.hasPrefix(expected) == true, "\(answer ?? "")")
            }
        }
    }
}

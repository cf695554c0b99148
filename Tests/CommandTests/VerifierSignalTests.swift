import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import Testing
import VerifierHarness

/// What the verifier's program does when it is sent a signal.
@Suite(.timeLimit(.minutes(3))) struct VerifierSignalTests {
    private let verifier = Program("carnet-verifier"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// The process whose command line names this test's folder.
    private var process: pid_t? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(pid_t.init).first { process in
            guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            let text = String(decoding: line, as: UTF8.self)
            return process != getpid() && text.contains(folder.path) && text.contains("carnet-verifier")
        }
    }

    @Test("SIGHUP ends nothing; after SIGTERM readyz fails at once, then no connection is taken, and it ends with 0")
    func drain() async throws {
        let address = folder.path + "/address"
        let running = try verifier.start(
            [
                "--data", folder.path + "/data", "--issuer", VerifierUnderTest.issuer, "--audience",
                VerifierUnderTest.audience, "--plain-http", "--listen", "127.0.0.1:0", "--address-file", address,
                "--metrics", "--drain-seconds", "8",
            ], log: folder.path + "/log")
        #expect(try await eventually { FileManager.default.fileExists(atPath: address) })
        let text = String(decoding: try folder.read("address"), as: UTF8.self)
        let port = try #require(Int(text.filter { $0 != "\n" }.split(separator: ":").last ?? ""))
        let client = ServiceClient(port: port)
        kill(try #require(process), SIGHUP)
        try await Task.sleep(for: .milliseconds(300))
        #expect(try await client.call(.get, "/readyz").status == 200)
        #expect(try await client.call(.get, "/metrics").text.contains("\ncarnet_tokens_issued_total 0\n"))
        async let status = withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: running.stop()) }
        }
        #expect(try await eventually { try await client.call(.get, "/readyz").status == 503 })
        #expect(try await client.call(.get, "/livez").status == 200)
        #expect(await status == 0)
        #expect(throws: (any Error).self) { try RawConnection(port: port) }
        let log = String(decoding: try folder.read("log"), as: UTF8.self)
        #expect(!log.contains("cut off"))
    }
}

import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import Synchronization
import VerifierHarness

/// A verifier as a process of its own, which can be killed and started again.
final class Replica: Sendable {
    /// Where it listens on loopback, at every start.
    let port: Int
    private let arguments: [String]
    private let database: String?
    private let folder: TemporaryDirectory
    private let running = Mutex<Program.Running?>(nil)

    /// A verifier that was never started.
    ///
    /// - Parameters:
    ///   - database: Where its state is; in its own folder when `nil`.
    ///   - key: The file of the key-encryption key.
    ///   - policy: The file of the policy.
    ///   - words: More of its command line.
    init(database: String?, key: String, policy: String, _ words: [String] = []) throws {
        port = try FreePort.take()
        folder = try TemporaryDirectory()
        self.database = database
        arguments =
            [
                "--data", folder.path + "/data", "--issuer", VerifierUnderTest.issuer, "--audience",
                VerifierUnderTest.audience, "--plain-http", "--listen", "127.0.0.1:\(port)", "--policy", policy,
                "--key-encryption-key", key, "--drain-seconds", "0",
                "--client-rate", "0", "--node-rate", "0",
            ] + (database.map { ["--database", $0] } ?? []) + words
    }

    /// Calls it.
    var client: ServiceClient { ServiceClient(port: port) }

    /// The file of the first administrator's token.
    var tokenFile: String { folder.path + "/administrator.token" }

    /// Makes the first administrator, and returns the token.
    func bootstrap() async throws -> String {
        let place = ["--data", folder.path + "/data"] + (database.map { ["--database", $0] } ?? [])
        let made = try await Program("carnet-verifier").run(["bootstrap", "--out", tokenFile] + place)
        guard made.status == 0 else { throw VerifierUnderTest.Unexpected(answer: made.errors) }
        return try String(contentsOfFile: tokenFile, encoding: .utf8).filter { $0 != "\n" }
    }

    /// Its database where it has one of its own.
    var ownDatabase: DatabaseAddress { .sqlite(path: folder.path + "/data/carnet.sqlite") }

    /// What it logged.
    var log: String { (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? "" }

    /// The memory that it holds, in KiB.
    func residentKilobytes() throws -> Int {
        let identifier = running.withLock { $0?.identifier ?? 0 }
        let status = try String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let line, let count = Int(line.filter(\.isNumber)) else { throw CocoaError(.fileReadUnknown) }
        return count
    }

    /// Starts it.
    func start() throws {
        let program = try Program("carnet-verifier").start(arguments, log: folder.path + "/log")
        running.withLock { $0 = program }
    }

    /// Waits until it is ready.
    func isReady() async throws -> Bool {
        try await eventually { (try? await client.call(.get, "/readyz").status) == 200 }
    }

    /// Kills it, whatever it is doing.
    func kill() {
        let program = running.withLock { running in
            defer { running = nil }
            return running
        }
        program?.kill()
    }

    /// Asks it to end, and returns its exit status.
    func stop() -> Int32? {
        let program = running.withLock { running in
            defer { running = nil }
            return running
        }
        return program?.stop()
    }
}

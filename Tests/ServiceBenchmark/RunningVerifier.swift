import CarnetService
import Fixtures
import Foundation
import ServiceHarness
import VerifierHarness

/// The program `carnet-verifier` in a process of its own on one processor, on a free port of loopback.
final class RunningVerifier: Sendable {
    /// Calls it.
    let client: ServiceClient
    /// What it uses.
    let use: ProcessUse
    private let program: Program.Running

    /// What a verifier is started with.
    struct Place: Sendable {
        /// Its data directory.
        let folder: String
        let policyFile: String
        /// A database's address, when it is not in the folder.
        var database: String?
        /// The key-encryption key, when it is not in the folder.
        var keyFile: String?
    }

    /// Starts it and waits until it listens.
    ///
    /// - Parameter processor: The only processor that it may use.
    init(_ place: Place, on processor: Int) async throws {
        let addressFile = place.folder + ".address", log = place.folder + ".log"
        try? FileManager.default.removeItem(atPath: addressFile)
        // taskset becomes the verifier, so the process is the verifier's.
        program = try Program(path: "/usr/bin/taskset").start(
            ["-c", String(processor), Program("carnet-verifier").path] + Self.arguments(place)
                + ["--address-file", addressFile], log: log)
        use = ProcessUse(identifier: program.identifier)
        client = ServiceClient(port: try await Self.port(addressFile, orWhatWent: log))
    }

    /// Everything as in production but TLS, with metrics for the time of each stage. The load comes from one address, so that rates are off.
    private static func arguments(_ place: Place) -> [String] {
        var arguments = [
            "--data", place.folder, "--listen", "127.0.0.1:0", "--plain-http", "--issuer", VerifierUnderTest.issuer,
            "--audience", VerifierUnderTest.audience, "--policy", place.policyFile, "--metrics", "--drain-seconds",
            "0", "--client-rate", "0", "--node-rate", "0",
        ]
        if let database = place.database { arguments += ["--database", database] }
        if let key = place.keyFile { arguments += ["--key-encryption-key", key] }
        return arguments
    }

    /// Makes the first administrator of the verifier in a place, and returns the token.
    static func administrator(_ place: Place) async throws -> String {
        let database = place.database.map { ["--database", $0] } ?? []
        let made = try await Program("carnet-verifier").run(["bootstrap", "--data", place.folder] + database)
        guard made.status == 0 else { throw Failure(made.errors) }
        return made.text.filter { $0 != "\n" }
    }

    /// Ends it, and waits for the end.
    func stop() throws {
        let status = program.stop()
        guard status == 0 else { throw Failure("the verifier ended with exit status \(status)") }
    }

    static func port(_ file: String, orWhatWent log: String) async throws -> Int {
        for _ in 0..<600 {
            if let text = try? String(contentsOfFile: file, encoding: .utf8),
                let port = text.split(separator: ":").last.flatMap({ Int($0.filter(\.isNumber)) })
            {
                return port
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Failure("the verifier did not start: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
    }
}

/// What the benchmark needs did not happen.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

import ArgumentParser
import Fixtures
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceHarness

/// The two calls of an attestation, by Hummingbird alone: bodies are read, and nothing is done.
struct EmptyRouteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "empty-route", shouldDisplay: false)

    @Argument var addressFile: String

    func run() async throws {
        let router = Router()
        router.post("session") { _, _ in HTTPResponse.Status.created }
        router.post("session/:id") { request, _ in
            _ = try await request.body.collect(upTo: 1 << 20)
            return HTTPResponse.Status.ok
        }
        let file = addressFile
        try await Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                try? "\(channel.localAddress?.port ?? 0)".write(toFile: file, atomically: true, encoding: .utf8)
            }, logger: Logger(label: "empty") { _ in SwiftLogNoOpLogHandler() }
        ).runService()
    }
}

/// What the two calls cost when nothing is done.
enum EmptyRoute {
    /// Microseconds of the server's processor for each pair of calls.
    static func measure(_ fleet: Fleet, sending body: [UInt8], on processor: Int, width: Int) async throws -> Double {
        let file = TemporaryFolder.path("empty-route")
        let program = try Program(path: "/usr/bin/taskset").start(
            ["-c", String(processor), Program("carnet-bench-service").path, "empty-route", file], log: file + ".log")
        defer { _ = program.stop() }
        var port: Int?
        for _ in 0..<200 where port == nil {
            try await Task.sleep(for: .milliseconds(50))
            port = (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { Int($0) }
        }
        guard let port else { throw Failure("the empty route did not start") }
        let client = ServiceClient(port: port), use = ProcessUse(identifier: program.identifier)
        var rounds: [Double] = []
        for _ in 0..<4 {
            let before = use.processorTime
            try await fleet.inTurns(width) { _ in
                let first = try await client.call(.post, "/session")
                let second = try await client.call(.post, "/session/1", type: "application/json", body: body)
                guard (first.status, second.status) == (201, 200) else { throw Failure("the empty route is broken") }
            }
            rounds.append((use.processorTime - before) / Double(fleet.tpms.count))
        }
        // The first warms up.
        return rounds.dropFirst().sorted()[1]
    }
}

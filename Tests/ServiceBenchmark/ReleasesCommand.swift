import ArgumentParser
import BrokerHarness
import CarnetCommandLine
import CarnetRelyingParty
import CarnetTesting
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import VerifierHarness

/// What it costs a broker's program to release a secret, end to end, beside what the SDK alone costs for the same passports.
struct ReleasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "releases", abstract: "What a release costs a broker: over HTTP on loopback, on one processor.",
        discussion: """
            EXAMPLE
              Tests/ServiceBenchmark/bench.sh releases

            Each release is of another passport. The peer is the library: check, proof and encryption of as many.
            """)

    @Option(help: ArgumentHelp("How many releases.", valueName: "number"))
    var count = 2000

    @Option(help: ArgumentHelp("How many at once.", valueName: "number"))
    var width = 8

    @Option(help: ArgumentHelp("The processor of the broker; everything else is on others.", valueName: "number"))
    var processor = 0

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let releases: Int
        let brokerMicroseconds, libraryMicroseconds, ratio, bar, perSecondOfACore, perSecond: Double
        let medianMilliseconds, slowMilliseconds: Double
        let residentKilobytes: Int
        let loadBefore: Double

        var isMet: Bool { ratio <= bar }
        var text: String {
            """
            \(releases) releases, each of another passport, load before \(loadBefore)
            broker   \(Int(brokerMicroseconds)) µs of its processor each: \(Int(perSecondOfACore)) a second a core
            library  \(Int(libraryMicroseconds)) µs for check, proof and encryption: ratio \(String(format: "%.2f", ratio)), bar \(bar)
            latency  \(String(format: "%.1f", medianMilliseconds)) ms median, \(String(format: "%.1f", slowMilliseconds)) ms all but 1 %; \(Int(perSecond)) a second with \(width) at once
            memory   \(residentKilobytes) kB
            """
        }
        let width: Int
    }

    func run() async throws {
        let load = Surroundings.load, scene = try BrokerUnderTest()
        let made = try await Program("carnet-broker").run(["bootstrap", "--data", scene.folder])
        guard made.status == 0 else { throw Failure(made.errors) }
        let administrator = made.text.filter { $0 != "\n" }
        let addressFile = scene.folder + ".address", log = scene.folder + ".log"
        let program = try Program(path: "/usr/bin/taskset").start(
            [
                "-c", String(processor), Program("carnet-broker").path, "--data", scene.folder, "--listen",
                "127.0.0.1:0", "--plain-http", "--url", BrokerUnderTest.url, "--bundle", scene.bundleFile,
                "--bundle-root", scene.rootThumbprint, "--client-rate", "0", "--machine-rate", "0", "--drain-seconds",
                "0", "--address-file", addressFile,
            ], log: log)
        defer { _ = program.stop() }
        let client = ServiceClient(port: try await RunningVerifier.port(addressFile, orWhatWent: log))
        let use = ProcessUse(identifier: program.identifier)
        try await prepare(client, administrator)

        let library = try libraryMicroseconds(scene)
        _ = try await releases(scene, client, 200)
        let start = ContinuousClock.now, before = use.processorTime
        let latencies = try await releases(scene, client, count)
        let busy = use.processorTime - before, seconds = (ContinuousClock.now - start) / .seconds(1)
        let sorted = latencies.sorted(), each = busy / Double(count)
        let report = Report(
            releases: count, brokerMicroseconds: each, libraryMicroseconds: library, ratio: each / library, bar: 4,
            perSecondOfACore: 1e6 / each, perSecond: Double(count) / seconds,
            medianMilliseconds: sorted[sorted.count / 2], slowMilliseconds: sorted[sorted.count * 99 / 100],
            residentKilobytes: use.resident, loadBefore: load, width: width)
        if json { try Output.json(report) } else { Output.line(report.text) }
        if !report.isMet { throw ExitCode(1) }
    }

    private func prepare(_ client: ServiceClient, _ administrator: String) async throws {
        let secret = try await client.call(
            .put, "/admin/v1/secrets/default/bench/secret", token: administrator, type: "application/octet-stream",
            body: [UInt8](repeating: 7, count: 32))
        let policy = try await client.call(
            .post, "/admin/v1/release-policies", token: administrator, type: "application/yaml",
            body: Array("version: 1\nid: bench\nsecrets: [default/bench/*]\n".utf8))
        guard secret.status == 201, policy.status == 201 else {
            throw Failure("the broker took neither: \(policy.text)")
        }
    }

    /// Releases `count` secrets, and says how long each took, in milliseconds.
    private func releases(_ scene: BrokerUnderTest, _ client: ServiceClient, _ count: Int) async throws -> [Double] {
        let path = "/release/v1/secrets/default/bench/secret", nonce = try await scene.nonce(client)
        let requests = try (0..<count).map { _ in
            let passport = try scene.passport()
            return (
                passport,
                try scene.forge.proof(
                    for: ProvenRequest(method: "POST", uri: BrokerUnderTest.url + path), showing: passport,
                    nonce: nonce, issuedAt: scene.clock.now)
            )
        }
        return try await withThrowingTaskGroup(of: [Double].self) { group in
            for lane in 0..<width {
                group.addTask {
                    var latencies: [Double] = []
                    for index in stride(from: lane, to: count, by: width) {
                        let start = ContinuousClock.now
                        let answer = try await scene.send(.post, path, requests[index].0, requests[index].1, client)
                        guard answer.status == 200 else { throw Failure("no release: \(answer.status) \(answer.text)") }
                        latencies.append((ContinuousClock.now - start) / .milliseconds(1))
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// Microseconds of this processor for what the SDK does at each release.
    private func libraryMicroseconds(_ scene: BrokerUnderTest) throws -> Double {
        let expectations = Expectations(issuer: BrokerUnderTest.issuer, audience: BrokerUnderTest.url)
        var open = expectations
        open.revocation = .notChecked
        let verifier = try PassportVerifier(keySet: scene.forge.keySet, expectations: open)
        let request = ProvenRequest(method: "POST", uri: BrokerUnderTest.url + "/x")
        let calls = try (0..<400).map { _ in
            let passport = try scene.passport()
            return (passport, try scene.forge.proof(for: request, showing: passport, issuedAt: scene.clock.now))
        }
        let secret = [UInt8](repeating: 7, count: 32), now = scene.clock.now, before = ProcessUse.own.processorTime
        for (passport, proof) in calls {
            let proven = try verifier.prove(verifier.verify(passport, at: now), by: proof, of: request, at: now)
            _ = try SecretGrant.seal(secret, to: proven, at: now)
        }
        return (ProcessUse.own.processorTime - before) / Double(calls.count)
    }
}

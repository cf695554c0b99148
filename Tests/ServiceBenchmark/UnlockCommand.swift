import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetTesting
import Fixtures
import Foundation
import TPM2

/// How long a booted machine waits for its disk, by the way the key comes.
struct UnlockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock",
        abstract: "From a boot to an open disk, by path, with the TPM's and cryptsetup's own shares.",
        discussion: """
            EXAMPLE
              Tests/ServiceBenchmark/bench.sh unlock

            Each time the software TPM starts anew, so that nothing is loaded in it. The disk is a LUKS2 volume in a file, and the real cryptsetup tries
            the key. The peers are what nobody can save: the TPM's commands, and cryptsetup with the same key.
            """)

    @Option(help: ArgumentHelp("How many boots for each path.", valueName: "number"))
    var boots = 20

    @Option(help: ArgumentHelp("The processor of the agent; everything else is on others.", valueName: "number"))
    var processor = 0

    @Flag(help: "Print JSON.")
    var json = false

    /// One path: medians of all boots, in milliseconds.
    struct Path: Encodable, Sendable {
        let name: String
        let wall, slowest, tpm, cryptsetup: Double
        let tpmCommands: Int
        let bar: Double
        var rest: Double { max(0, wall - tpm - cryptsetup) }
        var ratio: Double { wall / (tpm + cryptsetup) }
        var isMet: Bool { ratio <= bar }

        var text: String {
            func number(_ value: Double) -> String { String(format: "%.1f", value) }
            return
                "\(name): \(number(wall)) ms (at most \(number(slowest))): TPM \(number(tpm)) in \(tpmCommands) commands, "
                + "cryptsetup \(number(cryptsetup)), the rest \(number(rest)); ratio to both \(String(format: "%.2f", ratio)), bar \(bar)"
        }
    }

    struct Report: Encodable {
        let loadBefore: Double
        let paths: [Path]
    }

    func run() async throws {
        let load = Surroundings.load
        let paths = try await AgentScene.run { scene in
            let volume = try await TestVolume(in: scene.folder), services = scene.verifier + ["--broker", scene.broker]
            let pcrs = ["--pcrs", "sha256:0,4,7,11"]
            try await scene.agent(
                ["disk", "enrol", volume.path, "--key-file", volume.keyFile] + pcrs + scene.machine + services)
            let unlock = ["disk", "unlock", volume.path, "--test-passphrase"] + scene.machine
            let same = try await path("same state, local", bar: 6, scene, volume, unlock + ["--offline"]) {}
            let changed = try await path("state changed, attested", bar: 8, scene, volume, unlock + pcrs + services) {
                let device = try scene.tpm.device()
                try device.extend(pcr: 11, bank: .sha256, digest: (0..<32).map { _ in UInt8.random(in: 0...255) })
            }
            return [same, changed]
        }
        if json {
            try Output.json(Report(loadBefore: load, paths: paths))
        } else {
            Output.line(
                "\(boots) boots for each path, load before \(load)\n" + paths.map(\.text).joined(separator: "\n"))
        }
        if !paths.allSatisfy(\.isMet) { throw ExitCode(1) }
    }

    private func path(
        _ name: String, bar: Double, _ scene: AgentScene, _ volume: TestVolume, _ arguments: [String],
        change: () throws -> Void
    ) async throws -> Path {
        var walls: [Double] = [], works: [TPMRelay.Work] = [], tries: [Double] = []
        for _ in 0..<boots {
            try scene.boot()
            try change()
            _ = scene.timed.take()
            let start = ContinuousClock.now
            let said = try await scene.agent(arguments, on: processor)
            walls.append((ContinuousClock.now - start) / .milliseconds(1))
            works.append(scene.timed.take())
            guard said.contains(name.hasPrefix("same") ? "by the TPM" : "sealed again to the state") else {
                throw Failure("another path: \(said)")
            }
            let begun = ContinuousClock.now
            guard try await volume.opens(with: volume.key) else { throw Failure("the volume does not open") }
            tries.append((ContinuousClock.now - begun) / .milliseconds(1))
        }
        return Path(
            name: name, wall: Self.median(walls), slowest: walls.max() ?? 0,
            tpm: Self.median(works.map(\.milliseconds)), cryptsetup: Self.median(tries),
            tpmCommands: works.last?.commands ?? 0, bar: bar)
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

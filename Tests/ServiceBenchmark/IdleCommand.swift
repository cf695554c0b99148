import ArgumentParser
import CarnetCommandLine
import Fixtures
import Foundation

/// What the agent uses while nothing happens.
struct IdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle", abstract: "The agent's memory and processor time while the machine stays as it is.",
        discussion: """
            EXAMPLE
              Tests/ServiceBenchmark/bench.sh idle --seconds 120

            The agent has a passport, looks at the machine every five seconds, and renews when it is time. The first ten seconds are not counted.
            """)

    @Option(help: ArgumentHelp("How long to look.", valueName: "seconds"))
    var seconds = 60

    @Option(help: ArgumentHelp("The processor of the agent; everything else is on others.", valueName: "number"))
    var processor = 0

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let seconds: Int
        let processorMilliseconds, tpmMilliseconds, partOfACore, bar: Double
        let tpmCommands, residentKilobytes, highWaterKilobytes: Int
        let loadBefore: Double
    }

    func run() async throws {
        let load = Surroundings.load, seconds = seconds, processor = processor
        let report = try await AgentScene.run { scene in
            let socket = scene.folder.path + "/run/agent.sock"
            try FileManager.default.createDirectory(
                atPath: scene.folder.path + "/run", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755])
            let agent = try Program(path: "/usr/bin/taskset").start(
                ["-c", String(processor), Program("carnet-agent").path, "run", "--socket", socket] + scene.machine
                    + scene.verifier, log: scene.folder.path + "/agent.log")
            defer { _ = agent.stop() }
            try await Task.sleep(for: .seconds(10))
            let status = try await Program("carnet-agent").run(["status", "--socket", socket])
            guard status.status == 0 else { throw Failure("the agent has no passport: \(status.text)\(status.errors)") }
            let use = ProcessUse(identifier: agent.identifier), before = use.processorTime
            _ = scene.timed.take()
            try await Task.sleep(for: .seconds(seconds))
            let busy = (use.processorTime - before) / 1000, tpm = scene.timed.take()
            return Report(
                seconds: seconds, processorMilliseconds: busy, tpmMilliseconds: tpm.milliseconds,
                partOfACore: busy / Double(seconds * 1000), bar: 0.01, tpmCommands: tpm.commands,
                residentKilobytes: use.resident, highWaterKilobytes: use.highWater, loadBefore: load)
        }
        if json {
            try Output.json(report)
        } else {
            Output.line(
                """
                \(seconds) s, load before \(load)
                agent   \(String(format: "%.1f", report.processorMilliseconds)) ms of a processor: \(String(format: "%.3f", report.partOfACore * 100)) %, bar \(report.bar * 100) %
                TPM     \(report.tpmCommands) commands, \(String(format: "%.1f", report.tpmMilliseconds)) ms
                memory  \(report.residentKilobytes) kB, at most \(report.highWaterKilobytes) kB
                """)
        }
        if report.partOfACore > report.bar { throw ExitCode(1) }
    }
}

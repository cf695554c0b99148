import BrokerHarness
import CarnetBroker
import CarnetService
import CarnetTesting
import Fixtures
import Foundation
import MeasurementLogs
import ServiceHarness
import VerifierHarness

/// A machine that booted well, with a verifier and a broker in this process; its agent is a program of its own.
struct AgentScene: Sendable {
    let tpm: SoftwareTPM
    /// Stands before it.
    let timed: TPMRelay
    let folder: TemporaryDirectory
    /// The options for TPM and state; those for the verifier; the broker's URL.
    let machine: [String], verifier: [String], broker: String

    /// Starts both services, and enrols the machine.
    static func run<Value: Sendable>(_ body: @Sendable (AgentScene) async throws -> Value) async throws -> Value {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory(), log = GoodBoot.log()
        try tpm.measure(log)
        let logFile = try folder.write(log.bytes, "event-log.bin"), office = try Office(trusting: tpm)
        let timed = try TPMRelay(before: tpm.directory + "/tpm.sock")
        return try await office.verifier.run { client in
            let port = try FreePort.take(), url = "http://127.0.0.1:\(port)"
            let broker = try await BrokerUnderTest.trusting(office.verifier, client) { configuration in
                if let address = ListenAddress("127.0.0.1:\(port)") { configuration.address = address }
                configuration.url = url
                configuration.audience = VerifierUnderTest.audience
            }
            return try await broker.run { brokerClient in
                let policy = try await broker.policy("version: 1\nid: disks\nvolumes: [root]\n", brokerClient)
                guard policy.status == 201 else { throw Failure("the broker takes no policy: \(policy.text)") }
                let scene = AgentScene(
                    tpm: tpm, timed: timed, folder: folder,
                    machine: ["--tcti", timed.tcti, "--state", folder.path + "/agent"],
                    verifier: [
                        "--verifier", "http://127.0.0.1:\(client.port)", "--plain-http", "--event-log", logFile,
                    ], broker: url)
                try await scene.agent(["enrol", "--name", "node-17"] + scene.machine + scene.verifier)
                return try await body(scene)
            }
        }
    }

    /// Starts the computer again: the TPM forgets what it held, and is told of the same boot.
    func boot() throws {
        try tpm.reboot()
        try tpm.measure(GoodBoot.log())
    }

    /// Runs the agent on a processor, and says what it printed.
    @discardableResult
    func agent(_ arguments: [String], on processor: Int = 0) async throws -> String {
        let ended = try await Program(path: "/usr/bin/taskset").run(
            ["-c", String(processor), Program("carnet-agent").path] + arguments)
        guard ended.status == 0 else { throw Failure("carnet-agent \(arguments.prefix(2)): \(ended.errors)") }
        return ended.text
    }
}

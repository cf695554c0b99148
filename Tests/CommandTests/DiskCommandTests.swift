import CarnetAttester
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import Synchronization
import TPM2
import Testing
import VerifierHarness

/// Disks as users see them: the program, the real cryptsetup, a verifier and a broker.
@Suite(
    "carnet-agent disk", .serialized, .enabled(if: TestVolume.isPossible, "cryptsetup is not installed"),
    .timeLimit(.minutes(10)))
struct DiskCommandTests {
    private let agent = Program("carnet-agent")

    private struct Scene: Sendable {
        let tpm: SoftwareTPM
        let volume: TestVolume
        let broker: TestBroker
        /// The options for TPM and state; those for verifier and broker.
        let machine: [String], services: [String]
        let folder: TemporaryDirectory
    }

    private func run(_ body: @Sendable (Scene) async throws -> Void) async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory(), log = GoodBoot.log()
        try tpm.measure(log)
        let logFile = try folder.write(log.bytes, "event-log.bin"), office = try Office(trusting: tpm)
        let volume = try await TestVolume(in: folder), agent = agent
        try await office.verifier.run { client in
            let broker = TestBroker(try await Office.relyingParty(client))
            try await broker.run { url in
                let machine = ["--tcti", tpm.tcti, "--state", folder.path + "/agent"]
                let verifier = [
                    "--verifier", "http://127.0.0.1:\(client.port)", "--plain-http", "--event-log", logFile,
                ]
                let enrolled = try await agent.run(["enrol", "--name", "node-17"] + machine + verifier)
                #expect(enrolled.status == 0, "\(enrolled.errors)")
                try await body(
                    Scene(
                        tpm: tpm, volume: volume, broker: broker, machine: machine,
                        services: verifier + ["--broker", url], folder: folder))
            }
        }
    }

    @Test("Enrol, unlock, update, unlock, phase: each path says which it was, and exit statuses are the agent's")
    func story() async throws {
        try await run { scene in
            let volume = scene.volume.path, tcti = Array(scene.machine.prefix(2))
            let unlock = ["disk", "unlock", volume, "--test-passphrase"] + scene.machine
            let before = try await agent.run(unlock)
            #expect(before.status == 1 && before.errors.contains("not enrolled"), "\(before)")
            let keyless = try await agent.run(["disk", "enrol", volume] + scene.machine + scene.services)
            #expect(keyless.status == 2 && keyless.errors.contains("--key-file"), "\(keyless)")
            // Nor does it leave anything behind where a PIN and a recovery key were given.
            let pin = try scene.folder.write(Array("4711\n".utf8), "pin")
            #expect(chmod(pin, 0o600) == 0)
            let recovery = try scene.folder.write(Array(publicPEM().utf8), "operator.pub.pem")
            let lost = try await agent.run(
                ["disk", "enrol", volume, "--recovery-key", recovery, "--pin-file", pin] + scene.machine
                    + scene.services)
            #expect(lost.status == 2 && lost.errors.contains("--key-file"), "\(lost)")
            #expect(scene.broker.state.withLock { $0.escrows.isEmpty && $0.log.allSatisfy { !$0.hasPrefix("PUT") } })
            let enrol =
                ["disk", "enrol", volume, "--pcrs", "sha256:0,4,7,11", "--key-file", scene.volume.keyFile]
                + scene.machine + scene.services
            let enrolled = try await agent.run(enrol)
            #expect(enrolled.status == 0 && enrolled.text.contains("Enrolled"), "\(enrolled.errors)")
            let offline = try await agent.run(unlock + ["--offline"])
            #expect(offline.status == 0 && offline.text.contains("by the TPM"), "\(offline.errors)")
            let status = try await agent.run(["disk", "status", volume] + tcti)
            #expect(status.status == 0 && status.text.contains("opens now") && status.text.contains("sha256:0,4,7,11"))
            let json = try await agent.run(["disk", "status", volume, "--json"] + tcti)
            let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
            let token = root["tokens"]?.elements?.first
            #expect(token?["volume"]?.string == "root" && token?["sealedAt"]?.string?.hasSuffix("Z") == true)

            let missingFolder = ["phase", "workload", "--runtime-log", scene.folder.path + "/log/measure.log"] + tcti
            #expect(try await agent.run(missingFolder).status == 3)
            #expect(!FileManager.default.fileExists(atPath: scene.folder.path + "/log"))
            let phase = ["phase", "workload", "--runtime-log", scene.folder.path + "/measure.log"] + tcti
            #expect(try await agent.run(phase).status == 0)
            let shut = try await agent.run(unlock + ["--offline"])
            #expect(
                shut.status == 1 && shut.errors.contains("sha256:11") && shut.errors.contains("--broker"), "\(shut)")
            #expect(!shut.errors.contains("--pin-file"), "there is no PIN")
            let told = try await agent.run(unlock + ["--offline"] + scene.services)
            #expect(
                told.status == 1 && told.errors.contains("because of --offline: leave --offline out.")
                    && !told.errors.contains("escrowed"), "\(told)")
            // The PCRs of the enrolment, and not those of the verifier's policy.
            let fetched = try await agent.run(unlock + ["--json"] + scene.services)
            let answer = try JSONDocument(parsing: fetched.output, maximumByteCount: 65_536).root
            #expect(answer["way"]?.string == "escrow" && answer["resealed"]?.boolean == true, "\(fetched)")
            #expect(answer["pcrs"]?.string == "sha256:0,4,7,11" && answer["keyslot"]?.integer == 1)
            #expect(try await agent.run(unlock + ["--offline"]).status == 0)
            let wrong = try scene.folder.write([1], "wrong.key")
            #expect(chmod(wrong, 0o600) == 0)
            let kept = try await agent.run(
                ["disk", "enrol", volume, "--remove-key-file", wrong] + scene.machine + scene.services)
            #expect(
                kept.status == 2 && kept.errors.contains("\(wrong) opens no keyslot of \(volume); nothing was removed"),
                "\(kept)")
            let removed = try await agent.run(
                ["disk", "enrol", volume, "--remove-key-file", scene.volume.keyFile] + scene.machine + scene.services)
            #expect(removed.status == 0 && removed.text.contains("Keyslot 0 removed"), "\(removed)")
            try await missingToken(scene, unlock)
            // Without a device mapper this fails, and says so; with one the volume is open.
            let open = try await agent.run(
                ["disk", "unlock", volume, "--open-as", "carnet-test", "--offline"] + scene.machine)
            #expect(
                open.status == 3 && open.errors.contains("cryptsetup could not open") || open.status == 0, "\(open)")
            if open.status == 0 { _ = try await scene.volume.run(["close", "carnet-test"]) }
            // Where it cannot be measured it stays shut.
            let measure = ["disk", "unlock", volume, "--offline", "--measure"] + scene.machine
            let unmeasured = try await agent.run(
                measure + ["--open-as", "carnet-test", "--runtime-log", scene.folder.path])
            #expect(unmeasured.status == 3 && unmeasured.errors.contains("Nothing was measured"), "\(unmeasured)")
            #expect(try await agent.run(measure + ["--test-passphrase"]).status == 2)
            let missing = try await agent.run(["disk", "unlock", "/no/such", "--test-passphrase"] + scene.machine)
            #expect(missing.status == 2)
        }
    }

    /// Where the header has no token, the broker is what opens, and the line says so.
    private func missingToken(_ scene: Scene, _ unlock: [String]) async throws {
        for token in try VolumeFile(scene.volume.path).header().tokens.keys {
            _ = try await scene.volume.run(["token", "remove", "--token-id", String(token), scene.volume.path])
        }
        let fetched = try await agent.run(unlock + scene.services)
        #expect(
            fetched.status == 0 && fetched.text.contains("by the broker: the header had no token of Carnet"),
            "\(fetched)")
    }

    private func publicPEM() throws -> String {
        let key = Data(try PrivateKey.generate().publicKey.subjectPublicKeyInfo).base64EncodedString()
        return "-----BEGIN PUBLIC KEY-----\n\(key)\n-----END PUBLIC KEY-----\n"
    }

    @Test("Killed at each request to the broker, an enrolment loses no key, and a rerun finishes it")
    func killed() async throws {
        try await run { scene in
            let whole = try Data(contentsOf: URL(filePath: scene.volume.path))
            let enrol =
                [
                    "disk", "enrol", scene.volume.path, "--pcrs", "sha256:0,4,7", "--key-file", scene.volume.keyFile,
                    "--remove-key-file", scene.volume.keyFile,
                ] + scene.machine + scene.services
            var deaths = 0
            for number in 1...12 {
                try whole.write(to: URL(filePath: scene.volume.path))
                let victim = Victim()
                scene.broker.state.withLock { state in
                    state.escrows = [:]
                    state.log = []
                    state.onRequest = { count, _ in if count == number { victim.kill() } }
                }
                let process = try agent.start(enrol, log: scene.folder.path + "/log-\(number)")
                victim.identifier.withLock { $0 = process.identifier }
                let ended = try await eventually { !Victim.isRunning(process.identifier) }
                #expect(ended)
                scene.broker.state.withLock { $0.onRequest = nil }
                guard victim.wasKilled.withLock({ $0 }) else {
                    #expect(process.stop() == 0)
                    break
                }
                process.kill()
                deaths += 1
                let unlock = ["disk", "unlock", scene.volume.path, "--test-passphrase"] + scene.machine
                let isOld = try await scene.volume.opens(with: scene.volume.key)
                let isHere = try await agent.run(unlock + ["--offline"]).status == 0
                #expect(isOld || isHere, "after request \(number)")
                let again = try await agent.run(enrol)
                #expect(again.status == 0, "\(again.errors)")
                #expect(try await agent.run(unlock + ["--offline"]).status == 0)
                #expect(try await !scene.volume.opens(with: scene.volume.key))
                #expect(scene.broker.state.withLock { $0.escrows.values.map(\.count) } == [1])
            }
            #expect(deaths >= 4)
        }
    }

    @Test("Seal and unseal, with a PIN and after a change; secrets from the broker")
    func secrets() async throws {
        try await run { scene in
            let tcti = Array(scene.machine.prefix(2)), folder = scene.folder.path
            let pin = try scene.folder.write(Array("1234\n".utf8), "pin"), file = folder + "/x.sealed"
            #expect(chmod(pin, 0o644) == 0)
            let seal = ["seal", "--pcrs", "sha256:7,11", "--pin-file", pin, "--out", file] + tcti
            #expect(try await agent.run(seal, input: [1, 2, 3]).status == 1, "a PIN that others read")
            #expect(chmod(pin, 0o600) == 0)
            #expect(try await agent.run(seal, input: [1, 2, 3]).status == 0)
            #expect(try await agent.run(["unseal", file] + tcti).output == [1, 2, 3])
            _ = try await agent.run(["phase", "late", "--runtime-log", folder + "/m.log"] + tcti)
            let refused = try await agent.run(["unseal", file] + tcti)
            #expect(refused.status == 1 && refused.output.isEmpty && refused.errors.contains("PCR sha256:11"))
            #expect(try await agent.run(["unseal", file, "--pin-file", pin] + tcti).output == [1, 2, 3])
            let garbage = try scene.folder.write(Array("{}".utf8), "garbage")
            #expect(try await agent.run(["unseal", garbage] + tcti).status == 2)

            scene.broker.state.withLock { $0.secrets = ["default/tls/edge-17": [4, 5, 6]] }
            let get = ["secret", "get", "default/tls/edge-17", "--out", "-"] + scene.machine + scene.services
            for form in [[], ["--form", "tpm-import"]] {
                let ending = try await agent.run(get + form)
                #expect(ending.status == 0 && ending.output == [4, 5, 6], "\(ending.errors)")
            }
            let none = try await agent.run(
                ["secret", "get", "default/tls/none", "--out", "-"] + scene.machine + scene.services)
            #expect(none.status == 1 && none.errors.contains("The broker refused"))
        }
    }
}

/// A process that a broker ends while it serves it.
private final class Victim: Sendable {
    let identifier = Mutex<Int32?>(nil), wasKilled = Mutex(false)

    func kill() {
        guard let process = identifier.withLock(\.self) else { return }
        Foundation.kill(process, SIGKILL)
        wasKilled.withLock { $0 = true }
    }

    /// Whether a process still works; one that only waits to be reaped does not.
    static func isRunning(_ process: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let state = text.split(separator: ")").last?.split(separator: " ").first
        else { return false }
        return state != "Z" && state != "X"
    }
}

import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// What the boot measured, told as systemd's; and what systemd measures where the boot did.
@Suite("Events in the wrong log, on a real TPM", .serialized, .timeLimit(.minutes(5)))
struct HiddenEventTests {
    @Test(
        "The finding about a foreign record is about the runtime log")
    func foreignRule() async throws {
        let boot = try UnifiedBoot().log(), running = RunningSystem.log()
        try await LivingMachine.enrolled(boot, running, policy: RunningSystem.policy(boot, running)) { machine in
            var foreign = running
            foreign.add(pcr: 8, "ready")
            let bad = try await machine.attest(boot, foreign)
            #expect(bad.rules == ["runtime-log-unreadable"], "\(bad)")
            #expect(bad.findings.first?.remedy.contains("tpm2-measure.log") == true)
        }
    }

    @Test(
        "systemd 261 closes the firmware's PCRs with a separator")
    func closed() async throws {
        let boot = try UnifiedBoot().log()
        var running = RuntimeLogBuilder()
        for pcr in [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14] {
            running.add(pcr: pcr, "os-separator", kind: "os-separator")
        }
        running.add(pcr: 15, "machine-id:4691595be6a345f1833cc75fab63e475", kind: "machine-id")
        let log = running
        try await LivingMachine.enrolled(boot, log, policy: RunningSystem.policy(boot, log)) { machine in
            let good = try await machine.attest(boot, log)
            #expect(good.status == "affirming" && good.findings.isEmpty, "\(good)")
        }
    }

    @Test("The boot's events come first: neither log's events can stand in the other")
    func order() async throws {
        let boot = try UnifiedBoot().log(), running = RunningSystem.log()
        try await LivingMachine.enrolled(boot, running, policy: RunningSystem.policy(boot, running)) { machine in
            // The stub's last event in PCR 13 moves behind systemd's; what the PCR holds is not what that gives.
            let index = try #require(boot.measurements.lastIndex { $0.pcr == 13 })
            let digest = try #require(boot.measurements[index].digests[.sha256]).hex
            let later = RunningSystem.records(running).last.map {
                String(decoding: $0, as: UTF8.self).replacing("\"pcr\":11", with: "\"pcr\":13").replacing(
                    HashAlgorithm.sha256.hash(Array("ready".utf8)).hex, with: digest)
            }
            let torn = try Self.without(index, boot)
            let behind = try await machine.attest(torn, runtime: running.bytes + Array(try #require(later).utf8))
            #expect(behind.status == "failed" && behind.rules == ["pcr-unexplained"], "\(behind)")
            #expect(behind.findings.map(\.pcr) == [13])
            // In front of systemd's it is the right order, and systemd's word for an extension of the system.
            let first = Array(try #require(later).utf8) + running.bytes
            #expect(try await machine.attest(torn, runtime: first).status == "affirming")
        }
    }

    /// A log without one of its events.
    private static func without(_ index: Int, _ builder: EventLogBuilder) throws -> [UInt8] {
        let log = try EventLog(parsing: builder.bytes)
        var copy = EventLogBuilder()
        for event in log.events where event.index != index {
            let digest = builder.measurements[event.index].digests[.sha256] ?? []
            copy.add(pcr: event.pcr, event.untrustedType, data: Array(event.untrustedData)) { _ in digest }
        }
        return copy.bytes
    }

    @Test("Commands and files of GRUB that are moved into systemd's log do not escape the rules about them")
    func hidden() async throws {
        let good = try GRUBBoot().log()
        var evil = GRUBBoot()
        evil.commands.append("set init=/bin/sh")
        evil.arguments += " init=/bin/sh"
        let bad = try evil.log(), configuration = evil.commands.joined(separator: "\n")
        try await LivingMachine.enrolled(good, policy: GoodBoot.policy(for: good)) { machine in
            #expect(try await machine.attest(good).status == "affirming")
            let drafted = try await machine.carnet(["policy", "draft", "--from", LivingMachine.name, "--id", "rack"])
            try await machine.activate(drafted.text + "runtime_log: optional\n")
            try machine.boot(bad)
            let told = try await machine.attest(bad)
            #expect(told.status == "contraindicated" && told.findings.compactMap(\.pcr).contains(8))
            // Root takes the rest of PCRs 8 and 9, from the first bad event on, and tells it as systemd's with its text.
            var torn = EventLogBuilder(), forged: [String] = [], isHiding = false
            let log = try EventLog(parsing: bad.bytes)
            for event in log.events {
                let digest = bad.measurements[event.index].digests[.sha256] ?? []
                isHiding = isHiding || event.pcr == 9
                guard isHiding, event.pcr == 8 || event.pcr == 9 else {
                    torn.add(pcr: event.pcr, event.untrustedType, data: Array(event.untrustedData)) { _ in digest }
                    continue
                }
                let label = String(decoding: event.untrustedData.dropLast(), as: UTF8.self)
                let text =
                    event.pcr == 9 ? configuration : label.split(separator: ": ", maxSplits: 1).last.map(String.init)
                forged.append(Self.record(pcr: event.pcr, text ?? "", digest))
            }
            let hidden = try await machine.attest(torn.bytes, runtime: Array(forged.joined().utf8))
            #expect(hidden.status == "failed" && hidden.findings.count == 1, "\(hidden)")
            // Each of the two alone.
            for pcr in [8, 9] {
                let part = forged.filter { $0.contains("\"pcr\":\(pcr),") }
                let alone = try await machine.attest(torn.bytes, runtime: Array(part.joined().utf8))
                #expect(alone.status == "failed", "\(alone)")
                #expect(alone.findings.first?.description.contains("extends PCR \(pcr)") == true, "\(alone)")
            }
        }
    }

    private static func record(pcr: Int, _ text: String, _ digest: [UInt8]) -> String {
        let content = JSONWriter.object { writer in
            writer.integer("pcr", Int64(pcr))
            writer.array("digests") { writer in
                writer.object { writer in
                    writer.string("hashAlg", "sha256")
                    writer.string("digest", digest.hex)
                }
            }
            writer.string("content_type", "systemd")
            writer.object("content") { $0.string("string", text) }
        }
        return "\u{1E}" + String(decoding: content, as: UTF8.self) + "\n"
    }
}

import CarnetAttester
import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// systemd's log behind the firmware's: really extended, quoted, and spoiled in every way.
@Suite("What systemd measured, on a real TPM", .serialized, .timeLimit(.minutes(3)))
struct RunningSystemTests {
    /// Ways to spoil a log, and the PCR that it then no longer explains.
    private static func spoiled(_ log: RuntimeLogBuilder) -> [(what: String, bytes: [UInt8], pcr: Int)] {
        let records = RunningSystem.records(log)
        var all: [(String, [UInt8], Int)] = []
        for (index, record) in records.enumerated() {
            let pcr = log.measurements[index].pcr, digest = log.measurements[index].digests[.sha256] ?? []
            var dropped = records
            dropped.remove(at: index)
            all.append(("without record \(index)", dropped.flatMap(\.self), pcr))
            var doubled = records
            doubled.insert(record, at: index)
            all.append(("with record \(index) twice", doubled.flatMap(\.self), pcr))
            guard pcr != 9 else { continue }
            var edited = records
            let other = digest.flipping(bit: index).hex
            edited[index] = Array(String(decoding: record, as: UTF8.self).replacing(digest.hex, with: other).utf8)
            all.append(("with another digest in record \(index)", edited.flatMap(\.self), pcr))
            edited[index] = Array(
                String(decoding: record, as: UTF8.self).replacing("\"pcr\":\(pcr)", with: "\"pcr\":23").utf8)
            all.append(("with record \(index) in another PCR", edited.flatMap(\.self), pcr))
        }
        for (first, second) in [(0, 1), (2, 3), (6, 7), (3, 8), (8, 9)] {
            var swapped = records
            swapped.swapAt(first, second)
            all.append(("with \(first) and \(second) exchanged", swapped.flatMap(\.self), log.measurements[first].pcr))
        }
        var more = log
        more.add(pcr: 11, "final")
        all.append(("with a record more", more.bytes, 11))
        var unused = log
        unused.add(pcr: 12, "imds:0")
        all.append(("with a record more in PCR 12", unused.bytes, 12))
        return all
    }

    @Test("With it PCRs 9, 11, 12, 13 and 15 are explained; spoiled in any way it is told which one is not")
    func spliced() async throws {
        let boot = try UnifiedBoot().log(), running = RunningSystem.log()
        try await LivingMachine.enrolled(boot, running, policy: RunningSystem.policy(boot, running)) { machine in
            let log = try EventLog(parsing: boot.bytes).appending(RuntimeLog(parsing: running.bytes))
            let replay = try #require(ReplayedEventLog(log, bank: .sha256))
            for (pcr, value) in try machine.pcrs(RunningSystem.measured) { #expect(replay.value(ofPCR: pcr) == value) }
            let good = try await machine.attest(boot, running)
            #expect(good.status == "affirming" && good.findings.isEmpty, "\(good)")
            for (what, bytes, pcr) in Self.spoiled(running) {
                let bad = try await machine.attest(boot.bytes, runtime: bytes)
                #expect(bad.status == "failed", "\(what)")
                #expect(bad.rules == ["pcr-unexplained"] && bad.findings.map(\.pcr) == [pcr], "\(what): \(bad)")
                #expect(bad.findings.allSatisfy { $0.family == .brokenEvidenceChain && !$0.remedy.isEmpty })
                #expect(bad.findings.first?.found == (try machine.pcrs([pcr])[pcr]?.hex))
            }
            // In PCR 9 a digest has to be of its text.
            let digest = HashAlgorithm.sha256.hash(Array("nvpcr-separator".utf8))
            let lie = String(decoding: running.bytes, as: UTF8.self).replacing(
                digest.hex, with: digest.flipping(bit: 0).hex)
            let foreign = try await machine.attest(boot.bytes, runtime: Array(lie.utf8))
            #expect(foreign.status == "failed" && foreign.findings.count == 1)
            #expect(foreign.findings.first?.description.contains("what systemd does not measure there") == true)
            // The PCRs hold no order among themselves, and neither does a verdict.
            var other = RunningSystem.records(running)
            other.swapAt(5, 6)
            let free = try await machine.attest(boot.bytes, runtime: other.flatMap(\.self))
            #expect(free.status == "affirming")
        }
    }

    @Test("What cannot be read, what is missing, and what belongs to the boot is refused")
    func refused() async throws {
        let boot = try UnifiedBoot().log(), running = RunningSystem.log()
        try await LivingMachine.enrolled(boot, running, policy: RunningSystem.policy(boot, running)) { machine in
            let records = RunningSystem.records(running), bytes = running.bytes
            let other = String(decoding: records[9], as: UTF8.self).replacing(
                String(repeating: "0", count: 32), with: String(repeating: "1", count: 32))
            for (what, spoiled) in [
                ("a record cut short", bytes.dropLast(3)),
                ("no separator", Array(bytes.dropFirst())),
                ("a separator behind it", bytes + [0x1E]), ("a record of another boot", bytes + Array(other.utf8)),
                ("64 KiB in a record", bytes + [UInt8](repeating: 0x20, count: 65_536)),
            ] {
                let bad = try await machine.attest(boot.bytes, runtime: spoiled)
                #expect(bad.status == "failed" && bad.rules == ["runtime-log-unreadable"], "\(what): \(bad)")
            }
            // Nothing is sent that a verifier would not read.
            let long = bytes + [UInt8](repeating: 0x0A, count: Evidence.maximumRuntimeLogByteCount)
            await #expect(throws: LogError.self) { try await machine.attest(boot.bytes, runtime: long) }
            await #expect(throws: LogError.self) { try await machine.attest(boot.bytes, runtime: nil) }
            await #expect(throws: LogError.self) { try await machine.attest(boot.bytes, runtime: []) }
            for pcr in [0, 4, 7, 8, 10, 14, 17] {
                let foreign = String(decoding: records[8], as: UTF8.self).replacing(
                    "\"pcr\":11", with: "\"pcr\":\(pcr)")
                let bad = try await machine.attest(boot.bytes, runtime: bytes + Array(foreign.utf8))
                #expect(bad.status == "failed" && bad.findings.count == 1, "\(pcr): \(bad)")
                #expect(bad.findings.first?.description.contains("extends PCR \(pcr)") == true)
            }
        }
    }

    @Test("Without a rule for it, or without a log where it is optional, what systemd extended is unexplained")
    func rules() async throws {
        let boot = try UnifiedBoot().log(), running = RunningSystem.log()
        let none = try RunningSystem.policy(boot, nil, rule: "none")
        try await LivingMachine.enrolled(boot, policy: none) { machine in
            #expect(try await machine.attest(boot).status == "affirming")
            try machine.boot(boot, running)
            let extended = try await machine.attest(boot, running)
            #expect(extended.status == "failed" && extended.findings.compactMap(\.pcr) == [9, 11, 12, 13, 15])
            #expect(Set(extended.rules) == ["pcr-unexplained"])
            try await machine.activate(RunningSystem.policy(boot, running, rule: "optional"))
            #expect(try await machine.attest(boot, running).status == "affirming")
            let absent = try await machine.attest(boot)
            #expect(absent.status == "failed" && absent.findings == extended.findings)
            // A boot that systemd does not measure is explained, and is not what the policy allows.
            try machine.boot(boot)
            let plain = try await machine.attest(boot)
            #expect(plain.status == "contraindicated" && plain.findings.compactMap(\.pcr) == [9, 11, 12, 13])
        }
    }

    @Test("After a later phase the machine is no longer what the policy allows, and the record is named")
    func phase() async throws {
        let boot = try UnifiedBoot().log(), running = RunningSystem.log()
        try await LivingMachine.enrolled(boot, running, policy: RunningSystem.policy(boot, running)) { machine in
            let later = RunningSystem.log(phases: ["sysinit", "ready", "shutdown"])
            try machine.tpm.measure(later, from: running.measurements.count)
            let bad = try await machine.attest(boot, later)
            #expect(bad.status == "contraindicated" && bad.rules == ["pcr-value"], "\(bad)")
            let finding = try #require(bad.findings.first)
            #expect(finding.pcr == 11 && finding.event == boot.measurements.count + later.measurements.count - 1)
            #expect(finding.description.contains("“shutdown”"))
            #expect(finding.found == (try machine.pcrs([11])[11]?.hex))
        }
    }
}

import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import TPM2
import Testing
import VerifierHarness

/// systemd's own programs as witnesses: what they extend, and what they foretell.
///
/// systemd 252 of Debian 12 keeps no log of what it measures (systemd does from version 255 on), so the records are ours and the
/// measurements are systemd's.
@Suite("systemd itself", .serialized, .timeLimit(.minutes(5)))
struct SystemdTests {
    /// Runs systemd-pcrphase for a word, as after a boot of a unified kernel image: where systemd looks for what the stub said in EFI's
    /// variables, it finds that the image is in PCR 11. Nobody else sees that: it is in a mount namespace of its own.
    private func extend(_ word: String, _ tpm: SoftwareTPM, _ unshare: Witness, _ pcrphase: Witness) throws {
        let script = #"""
            mount -t tmpfs none /sys/firmware && mkdir -p /sys/firmware/efi/efivars &&
            printf '\006\0\0\0001\0001\0\0\0' \
                > /sys/firmware/efi/efivars/StubPcrKernelImage-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f &&
            exec "$0" --tpm2-device="$1" --bank=sha256 "$2"
            """#
        let run = try unshare.run(["-m", "sh", "-c", script, pcrphase.path, tpm.tcti, word])
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test("The phases that systemd-pcrphase extends are explained by a log with its words", .enabled(if: getuid() == 0))
    func phases() async throws {
        guard let unshare = try Witness.find("unshare"), let pcrphase = try Witness.find("systemd-pcrphase") else {
            return
        }
        guard try unshare.run(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status == 0 else {
            return print("skipped: this machine does not let root mount")
        }
        let boot = try UnifiedBoot().log(), words = ["enter-initrd", "leave-initrd", "sysinit", "ready"]
        var log = RuntimeLogBuilder()
        for word in words { log.add(pcr: 11, word) }
        let runtime = log
        let spliced = try EventLog(parsing: boot.bytes).appending(RuntimeLog(parsing: runtime.bytes))
        let value = try #require(ReplayedEventLog(spliced, bank: .sha256)).value(ofPCR: 11)
        let policy = """
            version: 1
            id: systemd
            event_log: required
            runtime_log: required
            banks: {sha256: {4: ignore, 7: ignore, 11: \(value.hex)}}

            """
        try await LivingMachine.enrolled(boot, policy: policy.replacing("required", with: "optional")) { machine in
            try await machine.activate(policy)
            for word in words { try extend(word, machine.tpm, unshare, pcrphase) }
            #expect(try machine.pcrs([11]) == [11: value])
            let good = try await machine.attest(boot, runtime)
            #expect(good.status == "affirming" && good.findings.isEmpty, "\(good)")
            try extend("shutdown", machine.tpm, unshare, pcrphase)
            var more = runtime
            more.add(pcr: 11, "shutdown")
            let over = try await machine.attest(boot, more)
            #expect(over.status == "contraindicated" && over.findings.first?.description.contains("shutdown") == true)
        }
    }

    @Test("What the stub will measure of an image's sections is what systemd-measure calculates")
    func sections() throws {
        guard let measure = try Witness.find("systemd-measure") else { return }
        let folder = try TemporaryDirectory(), boot = UnifiedBoot()
        let image = try PEImage(parsing: boot.image)
        var arguments = ["calculate", "--bank=sha256", "--phase="]
        for (name, option) in [
            (".linux", "linux"), (".osrel", "osrel"), (".cmdline", "cmdline"), (".initrd", "initrd"),
        ] {
            let content = Array(try #require(image.content(ofSection: name)))
            arguments.append("--\(option)=" + (try folder.write(content, option)))
        }
        func calculated(_ arguments: [String]) throws -> String? {
            let run = try measure.run(arguments)
            #expect(run.status == 0, "\(run.errors)")
            return run.text.split(separator: "\n").first { $0.hasPrefix("11:sha256=") }.map {
                String($0.dropFirst("11:sha256=".count))
            }
        }
        let names = [".linux", ".osrel", ".cmdline", ".initrd"]
        var value = [UInt8](repeating: 0, count: 32)
        for digest in image.sectionDigests(.sha256, of: names) { HashAlgorithm.sha256.extend(&value, with: digest) }
        #expect(try calculated(arguments) == value.hex)
        // And the phases behind them, as the log of the running system tells them.
        for word in ["enter-initrd", "leave-initrd"] {
            HashAlgorithm.sha256.extend(&value, with: HashAlgorithm.sha256.hash(Array(word.utf8)))
        }
        arguments[2] = "--phase=enter-initrd:leave-initrd"
        #expect(try calculated(arguments) == value.hex)
    }
}

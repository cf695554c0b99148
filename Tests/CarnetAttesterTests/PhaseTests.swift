import CarnetAttester
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import TPM2
import Testing

/// Phases that are entered on purpose, on a software TPM.
@Suite("Boot phases", .serialized, .timeLimit(.minutes(5)))
struct PhaseTests {
    private let tpm: SoftwareTPM, folder: TemporaryDirectory, log: String

    init() throws {
        tpm = try SoftwareTPM.copy()
        folder = try TemporaryDirectory()
        log = folder.path + "/tpm2-measure.log"
    }

    @Test(
        "A verifier explains the PCR by the log, behind what systemd measured; what was sealed before is out of reach")
    func explained() throws {
        let boot = GoodBoot.log()
        try tpm.measure(boot)
        let device = try tpm.device(), selection = TPM.PCRSelectionList(bank: .sha256, indices: [7, 11])
        let sealed = try device.seal([1, 2, 3], policy: SealingPolicy(.state(device.state(selection))))
        #expect(try device.unseal(sealed) == [1, 2, 3])
        for word in ["enter-initrd", "leave-initrd", "workload"] {
            let phase = try #require(BootPhase(word))
            #expect(try device.enter(phase, log: log))
        }
        let runtime = try RuntimeLog(parsing: folder.read("tpm2-measure.log"))
        #expect(runtime.records.map(\.untrustedText) == ["enter-initrd", "leave-initrd", "workload"])
        #expect(runtime.records.allSatisfy { $0.untrustedKind == "phase" && $0.untrustedBootID?.count == 32 })
        let whole = try EventLog(parsing: boot.bytes).appending(runtime)
        let replay = try #require(ReplayedEventLog(whole, bank: .sha256))
        #expect(try device.readPCRs(selection)[.sha256]?[11] == replay.value(ofPCR: 11))
        do {
            _ = try device.unseal(sealed)
            #expect(Bool(false), "the phase locks nothing")
        } catch {
            #expect(error.code == .stateChanged && error.description.contains("sha256:11"))
        }
        let mode = try FileManager.default.attributesOfItem(atPath: log)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("Where a writer died the mark stays, the phase is entered, and the caller is told")
    func damaged() throws {
        let device = try tpm.device(), phase = try #require(BootPhase("ready"))
        try FileManager.default.createDirectory(atPath: folder.path + "/systemd", withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        #expect(chmod(log, 0o1600) == 0)
        let before = try device.readPCRs(.init(bank: .sha256, indices: [11]))
        #expect(try device.enter(phase, log: log) == false)
        #expect(try device.readPCRs(.init(bank: .sha256, indices: [11])) != before)
        var status = stat()
        #expect(stat(log, &status) == 0 && status.st_mode & S_ISVTX != 0)
    }

    @Test("Without the log nothing is measured, and without the TPM the log is as it was")
    func refused() throws {
        let device = try tpm.device(), phase = try #require(BootPhase("ready"))
        let before = try device.readPCRs(.init(bank: .sha256, indices: [11]))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link", withDestinationPath: folder.path + "/x")
        #expect(throws: DiskError.self) { try device.enter(phase, log: folder.path + "/link") }
        #expect(throws: DiskError.self) { try device.enter(phase, log: folder.path) }
        #expect(throws: DiskError.self) { try device.enter(phase, log: folder.path + "/none/m.log") }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/none"))
        #expect(try device.readPCRs(.init(bank: .sha256, indices: [11])) == before)
        tpm.stop()
        #expect(throws: TPMDeviceError.self) { try device.enter(phase, log: log) }
        var status = stat()
        #expect(stat(log, &status) == 0 && status.st_size == 0 && status.st_mode & S_ISVTX == 0)
    }

    @Test(
        "Words are words", arguments: ["", "Ready", "a b", "a/b", "ä", String(repeating: "a", count: 33), "a\n", "."])
    func words(text: String) { #expect(BootPhase(text) == nil) }

    @Test("The other active banks are extended, too")
    func banks() throws {
        let device = try tpm.device()
        #expect(try device.activeBanks() == [.sha256])
    }
}

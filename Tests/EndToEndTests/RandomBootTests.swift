import CarnetAttester
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// Random logs, extended into a software TPM: a replay computes what the TPM holds, and spoiled logs never do.
///
/// A failure prints the seed; `RandomBoot(seed:)` makes the same machine again.
@Suite("Random boots in a real TPM", .serialized, .timeLimit(.minutes(5)))
struct RandomBootTests {
    private static let seeds: [UInt64] = [1, 2, 3, 5, 8, 13, 21, 34]

    /// Whether logs, as they are sent, lead to what a TPM holds, in every PCR.
    private static func explain(
        _ held: [Int: [UInt8]], firmware: [UInt8], running: [UInt8], files: [UInt8]
    ) -> Bool {
        guard var log = try? EventLog(parsing: firmware) else { return false }
        if !running.isEmpty {
            guard let runtime = try? RuntimeLog(parsing: running), let both = try? log.appending(runtime) else {
                return false
            }
            log = both
        }
        guard let replay = ReplayedEventLog(log, bank: .sha256), let list = try? IMAList(parsing: files),
            let quoted = held[10],
            let match = IMAReplay.match(list, bank: .sha256, mode: .native, quoted: quoted).match
        else { return false }
        return match.coveredCount == list.count
            && (0..<24).allSatisfy { $0 == 10 || replay.value(ofPCR: $0) == held[$0] }
    }

    private static func explain(_ held: [Int: [UInt8]], _ boot: RandomBoot) -> Bool {
        explain(held, firmware: boot.firmware.bytes, running: boot.running.bytes, files: boot.files.bytes)
    }

    /// Boots a TPM as a machine says, and reads its 24 PCRs.
    private static func measure(_ boot: RandomBoot, _ tpm: SoftwareTPM) throws -> [Int: [UInt8]] {
        try tpm.reboot()
        let device = try tpm.device()
        for (pcr, digest) in boot.extensions { try device.extend(pcr: pcr, bank: .sha256, digest: digest) }
        return try device.readPCRs(TPM.PCRSelectionList(bank: .sha256, indices: 0..<24))[.sha256] ?? [:]
    }

    @Test("Logs replay to what the TPM holds; with one bit turned anywhere they are refused or lead elsewhere")
    func property() throws {
        let tpm = try SoftwareTPM.copy()
        for seed in Self.seeds {
            let boot = RandomBoot(seed: seed), held = try Self.measure(boot, tpm)
            try #require(held.count == 24 && Self.explain(held, boot), "seed \(seed)")
            let list = try IMAList(parsing: boot.files.bytes)
            let match = IMAReplay.match(list, bank: .sha256, mode: .native, quoted: held[10] ?? []).match
            #expect(match?.violations == list.entries.filter(\.isViolation).map(\.position), "seed \(seed)")
            var numbers = SeededNumbers(seed &+ 1000)
            for spoiled in try boot.spoiled(count: 40, &numbers) {
                #expect(
                    !Self.explain(
                        held, firmware: spoiled.firmware, running: spoiled.running, files: spoiled.files),
                    "seed \(seed): \(spoiled.what)")
            }
        }
    }

    @Test("One machine's logs never explain another's TPM, nor do the parts of its own")
    func others() throws {
        let tpm = try SoftwareTPM.copy()
        let boots = Self.seeds.prefix(3).map(RandomBoot.init(seed:))
        for boot in boots {
            let held = try Self.measure(boot, tpm)
            for other in boots { #expect(Self.explain(held, other) == (other.seed == boot.seed)) }
            let part = Self.explain(held, firmware: boot.firmware.bytes, running: [], files: boot.files.bytes)
            #expect(part == boot.running.measurements.isEmpty, "seed \(boot.seed)")
        }
    }

    @Test("A list that grows is covered up to the entry after which the TPM was asked")
    func growing() throws {
        let tpm = try SoftwareTPM.copy(), boot = RandomBoot(seed: 55)
        let device = try tpm.device(), list = try IMAList(parsing: boot.files.bytes)
        for (count, step) in boot.extensions.filter({ $0.pcr == 10 }).enumerated() {
            let held = try device.readPCRs(TPM.PCRSelectionList(bank: .sha256, indices: [10]))[.sha256]?[10]
            let match = IMAReplay.match(list, bank: .sha256, mode: .native, quoted: held ?? []).match
            #expect(match?.coveredCount == count && list.entries.filter { match?.covers($0) == true }.count == count)
            try device.extend(pcr: 10, bank: .sha256, digest: step.digest)
        }
    }
}

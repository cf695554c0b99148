import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// The phases of a boot are all told, or none is.
@Suite("Phases of the boot") struct PhaseTests {
    private typealias Records = RuntimeLogTests

    /// The phases of a good boot whose running system measured these records.
    private func phases(
        _ records: [String]?, _ change: (inout EventLogBuilder) -> Void = { _ in }
    ) throws -> [String]? {
        var log = try EventLog(parsing: BootAttackTests.good(change).bytes)
        if let records { log = try log.appending(RuntimeLog(parsing: Records.bytes(records))) }
        let replay = try #require(ReplayedEventLog(log, bank: .sha256))
        return MeasuredBoot(replay).phases(replay)
    }

    private static let enter = Records.record(banks: [.sha256]),
        leave = Records.record("\"pcr\":11", "leave-initrd", banks: [.sha256])

    @Test("The words that were measured, in their order, beside the sections of the kernel image") func told() throws {
        #expect(try phases([Self.enter, Self.leave]) == ["enter-initrd", "leave-initrd"])
        #expect(try phases([Self.enter]) == ["enter-initrd"])
        #expect(try phases([Records.record("\"pcr\":15", "machine-id:1", banks: [.sha256])]) == [])
        #expect(try phases(nil) == [])
    }

    @Test("A word that is called something else hides all: another text, a key's digest, or what is no word")
    func renamed() throws {
        let word = Array("leave-initrd".utf8)
        for record in [
            Records.record("\"pcr\":11", "nothing", measuring: word, banks: [.sha256]),
            Records.record("\"pcr\":11", "cryptsetup:root:1", kind: "volume-key", measuring: word, banks: [.sha256]),
            Records.record("\"pcr\":11", nil, measuring: word, banks: [.sha256]),
            Records.record("\"pcr\":11", "Two Words", banks: [.sha256]),
            Records.record("\"pcr\":11", String(repeating: "a", count: 33), banks: [.sha256]),
        ] { #expect(try phases([Self.enter, record]) == nil, "\(record)") }
    }

    @Test("A word that is moved to the firmware's log is no section, with or without a name before it") func moved()
        throws
    {
        let word = Array("leave-initrd".utf8)
        for label in [".profile\0", "leave-initrd", ""] {
            #expect(
                try phases([Self.enter]) { $0.add(pcr: 11, .ipl, data: Array(label.utf8), measuring: word) } == nil)
        }
        #expect(
            try phases([Self.enter]) {
                $0.add(pcr: 11, .ipl, data: Array("enter-initrd".utf8), measuring: Array("enter-initrd".utf8))
                $0.add(pcr: 11, .ipl, data: Array(".profile\0".utf8), measuring: word)
            } == nil)
        #expect(try phases([Self.enter]) { $0.add(pcr: 11, .ipl, data: [], measuring: Array(".initrd\0".utf8)) } == nil)
        // A name of one's own, or a section's once more, with the word as its content.
        for name in [".x\0", ".linux\0"] {
            #expect(
                try phases([Self.enter]) {
                    $0.add(pcr: 11, .ipl, data: Array(name.utf8), measuring: Array(name.utf8))
                    $0.add(pcr: 11, .ipl, data: Array(name.utf8), measuring: word)
                } == nil)
        }
    }

    @Test("More words than are read are none") func bounded() throws {
        let many = (0..<33).map { Records.record("\"pcr\":11", "phase-\($0)", banks: [.sha256]) }
        #expect(try phases(Array(many.prefix(32)))?.count == 32)
        #expect(try phases(many) == nil)
    }
}

import Cryptography
import Fixtures
import MeasurementLogs
import CarnetTesting
import TPM2

/// A machine's life that is made up from a number: what firmware, kernel and systemd log, and, independently of every parser, what each
/// of them extends.
struct RandomBoot {
    /// Everything else follows from it.
    let seed: UInt64
    /// The firmware's log: SHA-256 among its banks, never PCR 10, always an end that no padding could be.
    let firmware: EventLogBuilder
    /// The kernel's list.
    let files: IMAListBuilder
    /// systemd's log; it may have no records.
    let running: RuntimeLogBuilder
    /// What was extended, in the order in which it was measured.
    let extensions: [(pcr: Int, digest: [UInt8])]

    init(seed: UInt64) {
        self.seed = seed
        var numbers = SeededNumbers(seed)
        firmware = Self.firmware(&numbers)
        var digests: [[UInt8]] = []
        files = Self.files(&numbers, &digests)
        running = Self.running(&numbers, [.sha256] + firmware.banks.filter { $0 != .sha256 })
        extensions =
            (firmware.measurements + running.measurements).map { ($0.pcr, $0.digests[.sha256] ?? []) }
            + digests.map { (10, $0) }
    }

    /// The types that replay in one way only: those that begin PCR 0 in another locality are left out, since this TPM begins in 0.
    private static let types: [EventType] = [
        .noAction, .separator, .separator, .action, .eventTag, .sCRTMVersion, .ipl, .efiVariableDriverConfig,
        .efiVariableBoot, .efiBootServicesApplication, .efiGPTEvent, .efiPlatformFirmwareBlob2, .efiHandoffTables2,
        .efiVariableAuthority, .efiSPDMFirmwareBlob, .init(rawValue: 0xDEAD),
    ]

    private static func firmware(_ numbers: inout SeededNumbers) -> EventLogBuilder {
        let banks: [[HashAlgorithm]] = [[.sha256], [.insecureSHA1, .sha256], [.sha256, .sha384], [.sha512, .sha256]]
        var log = EventLogBuilder(banks: numbers.element(banks))
        // Locality 0 extends PCR 0 to 16 and 23; PCR 10 is the kernel's.
        let pcrs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 23]
        for _ in 0..<Int.random(in: 0...40, using: &numbers) {
            let type = numbers.element(types), data = numbers.bytes(0...80)
            let separator: [UInt8] = Bool.random(using: &numbers) ? [0, 0, 0, 0] : [0xFF, 0xFF, 0xFF, 0xFF]
            if type == .separator {
                log.add(pcr: numbers.element(Array(0..<8)), type, data: separator)
            } else {
                log.add(
                    pcr: numbers.element(pcrs), type, data: data,
                    measuring: Bool.random(using: &numbers) ? nil : data + [1])
            }
        }
        log.add(pcr: 5, .efiAction, data: Array("Exit Boot Services Returned with Success".utf8))
        return log
    }

    /// `ima-ng`, `ima-sig` and violations. What the kernel extends is the digest of the fields, each with its length, or ones.
    private static func files(_ numbers: inout SeededNumbers, _ digests: inout [[UInt8]]) -> IMAListBuilder {
        var list = IMAListBuilder()
        func sized(_ bytes: [UInt8]) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
        }
        for number in 0..<Int.random(in: 1...30, using: &numbers) {
            let path = "/" + String(repeating: "p", count: Int.random(in: 0...200, using: &numbers)) + "\(number)"
            let content = numbers.bytes(32...32)
            var fields = [Array("sha256:".utf8) + [0] + content, Array(path.utf8) + [0]]
            switch Int.random(in: 0..<4, using: &numbers) {
            case 0:
                list.addViolation(path)
                digests.append([UInt8](repeating: 0xFF, count: 32))
                continue
            case 1: list.add(template: "ima-ng", fields: fields)
            default:
                fields.append(Bool.random(using: &numbers) ? [] : numbers.bytes(1...300))
                list.add(template: "ima-sig", fields: fields)
            }
            digests.append(HashAlgorithm.sha256.hash(fields.flatMap(sized)))
        }
        return list
    }

    private static func running(_ numbers: inout SeededNumbers, _ banks: [HashAlgorithm]) -> RuntimeLogBuilder {
        var log = RuntimeLogBuilder(banks: banks)
        for number in 0..<Int.random(in: 0...12, using: &numbers) {
            log.add(pcr: numbers.element([11, 12, 13, 15, 16, 23]), "phase-\(number)")
        }
        return log
    }
}

/// Random numbers that are the same in every run (Steele, Lea and Flood's SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// One of a list that is not empty.
    mutating func element<Element>(_ list: [Element]) -> Element {
        list[Int.random(in: list.indices, using: &self)]
    }

    mutating func bytes(_ count: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: count, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
}

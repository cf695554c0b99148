import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

@Suite("Random logs")
struct ReplayPropertyTests {
    /// SplitMix64: the same logs in every run.
    struct Numbers: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }

    static let types: [EventType] = [
        .noAction, .separator, .action, .eventTag, .sCRTMVersion, .ipl, .efiVariableDriverConfig, .efiVariableBoot,
        .efiBootServicesApplication, .efiGPTEvent, .efiAction, .efiPlatformFirmwareBlob2, .efiHandoffTables2,
        .efiVariableAuthority, .efiSPDMFirmwareBlob, .init(rawValue: 0xDEAD),
    ]

    static func log(_ seed: UInt64) -> EventLogBuilder {
        var numbers = Numbers(state: seed)
        let banks: [[HashAlgorithm]] = [[.sha256], [.insecureSHA1, .sha256], [.sha256, .sha384, .sha512]]
        var log = EventLogBuilder(banks: banks[Int(seed % 3)])
        for _ in 0..<Int.random(in: 0..<60, using: &numbers) {
            let pcr = Int.random(in: 0..<24, using: &numbers), type = types.randomElement(using: &numbers) ?? .ipl
            let data = (0..<Int.random(in: 0..<80, using: &numbers)).map { _ in
                UInt8.random(in: 0...255, using: &numbers)
            }
            let isBound = Bool.random(using: &numbers)
            log.add(pcr: pcr, type, data: data, measuring: isBound ? nil : data + [1])
        }
        return log
    }

    @Test("A log replays to what folding its measurements gives, in every bank", arguments: UInt64(0)..<150)
    func fold(seed: UInt64) throws {
        let builder = Self.log(seed), log = try EventLog(parsing: builder.bytes)
        for bank in builder.banks {
            let replay = try #require(ReplayedEventLog(log, bank: TPM.AlgorithmID(bank)))
            for pcr in 0..<24 {
                let mine = builder.measurements.filter { $0.pcr == pcr }
                let value = mine.reduce([UInt8](repeating: (17...22).contains(pcr) ? 0xFF : 0, count: bank.byteCount)) {
                    bank.hash($0 + ($1.digests[bank] ?? []))
                }
                #expect(replay.value(ofPCR: pcr) == value && replay.eventCount(ofPCR: pcr) == mine.count)
                var walked = replay.startValue(ofPCR: pcr)
                replay.walk(pcr: pcr) { _, after in
                    walked = after
                    return true
                }
                #expect(walked == value)
            }
            // The typed view is total, and finds every event that it cannot read.
            let boot = MeasuredBoot(replay)
            let late = boot.irregularities.filter { $0.kind == .afterExitBootServices }
            #expect(late.isEmpty && boot.objects.allSatisfy { log[$0.event].pcr == $0.pcr })
            for event in log.events { _ = (event.untrustedContent, event.summary(in: replay.bank)) }
        }
    }

    @Test("One context for many hashes computes what single hashes do", arguments: HashAlgorithm.allCases)
    func repeated(algorithm: HashAlgorithm) {
        let context = RepeatedHash(algorithm)
        var register = [UInt8](repeating: 0, count: algorithm.byteCount), expected = register
        for count in 0..<200 {
            let input = [UInt8](repeating: UInt8(count), count: count)
            let covers = context.covers(input[...], digest: algorithm.hash(input)[...])
            let coversMore = context.covers(input[...], digest: algorithm.hash(input + [0])[...])
            let coversPart = context.covers(input[...], digest: algorithm.hash(input).dropLast())
            #expect(covers && !coversMore && !coversPart)
            algorithm.extend(&expected, with: input)
            input.withUnsafeBytes { input in register.withUnsafeMutableBytes { context.extend($0, with: input) } }
            #expect(register == expected)
        }
    }
}

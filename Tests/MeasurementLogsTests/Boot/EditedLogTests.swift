import Cryptography
import Fixtures
import MeasurementLogs
import TPM2
import Testing

/// Whole events at other places than the firmware wrote them, and logs that have no bank to believe.
@Suite("Edited logs")
struct EditedLogTests {
    /// The records of the good boot, each as its bytes, behind the Spec ID event.
    private static func records() throws -> (header: [UInt8], events: [[UInt8]], pcrs: [Int]) {
        let bytes = BootAttackTests.good().bytes, log = try EventLog(parsing: bytes)
        let starts = (0...log.count).map {
            BootAttackTests.offset(of: $0, in: bytes)
        }
        let events = zip(starts, starts.dropFirst()).map { Array(bytes[$0..<$1]) }
        return (Array(bytes.prefix(starts[0])), events, log.events.map(\.pcr))
    }

    private static func values(_ header: [UInt8], _ events: [[UInt8]]) throws -> [[UInt8]] {
        let log = try EventLog(parsing: header + events.flatMap { $0 })
        let replay = try #require(ReplayedEventLog(log, bank: .sha256))
        return (0..<24).map(replay.value(ofPCR:))
    }

    @Test("Any two different events of one PCR exchanged, any event put in or moved anywhere, lead elsewhere")
    func edits() throws {
        let (header, events, pcrs) = try Self.records(), quoted = try Self.values(header, events)
        var foreign = EventLogBuilder(), exchanges = 0
        foreign.add(pcr: 4, .efiBootServicesApplication, data: [1], measuring: [2])
        let image = Array(foreign.bytes.dropFirst(header.count))
        for place in 0...events.count {
            #expect(try Self.values(header, events.prefix(place) + [image] + events.dropFirst(place)) != quoted)
        }
        for first in events.indices {
            for second in events.indices where second > first && pcrs[first] == pcrs[second] {
                guard events[first] != events[second] else { continue }
                var exchanged = events
                exchanged.swapAt(first, second)
                #expect(try Self.values(header, exchanged) != quoted, "events \(first) and \(second)")
                exchanges += 1
            }
            // The same event in another PCR: of every PCR's events the order is covered, and which they are.
            var moved = events
            moved[first][0] = UInt8((pcrs[first] + 1) % 24)
            #expect(try Self.values(header, moved) != quoted, "event \(first)")
        }
        #expect(exchanges > 20)
    }

    @Test("Events of different PCRs may stand in any order: no quote says which came first")
    func interleaving() throws {
        let (header, events, pcrs) = try Self.records(), quoted = try Self.values(header, events)
        let sorted = events.indices.sorted { (pcrs[$0], $0) < (pcrs[$1], $1) }.map { events[$0] }
        #expect(sorted != events)
        #expect(try Self.values(header, sorted) == quoted)
    }

    @Test(
        "A log with digests of SHA-1 alone is refused in either format, and a SHA-1 bank beside others is only a bank")
    func weak() throws {
        var agile = EventLogBuilder(banks: [.insecureSHA1])
        agile.add(pcr: 4, .efiAction, data: [1])
        #expect(throws: EventLogError.legacySHA1Only) { try EventLog(parsing: agile.bytes) }
        // TCG 1.2: PCR 0, EV_S_CRTM_VERSION, 20 bytes of SHA-1, size, data.
        let legacy: [UInt8] = [0, 0, 0, 0, 8, 0, 0, 0] + HashAlgorithm.insecureSHA1.hash([1]) + [1, 0, 0, 0, 1]
        #expect(throws: EventLogError.legacySHA1Only) { try EventLog(parsing: legacy) }
        var both = EventLogBuilder(banks: [.insecureSHA1, .sha256])
        both.add(pcr: 4, .efiAction, data: [1])
        let replay = ReplayedEventLog(try EventLog(parsing: both.bytes), bank: .sha256)
        #expect(
            replay?.value(ofPCR: 4)
                == HashAlgorithm.sha256.hash([UInt8](repeating: 0, count: 32) + HashAlgorithm.sha256.hash([1])))
    }
}

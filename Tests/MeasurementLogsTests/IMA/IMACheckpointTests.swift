import Cryptography
import MeasurementLogs
import Testing

@Suite("Continuing IMA lists from a checkpoint")
struct IMACheckpointTests {
    /// The sample list, cut after `count` entries, with the checkpoint of its first part.
    static func parts(after count: Int = 5) throws -> (checkpoint: IMACheckpoint, rest: [[UInt8]]) {
        let bytes = try IMASamples.list().bytes
        let match = try IMAReplayTests.match(bytes, try IMAReplayTests.quoted(count)).match
        return (try #require(match).checkpoint, Array(try IMASamples.pieces(bytes).dropFirst(count)))
    }

    @Test("New entries continue from every entry, and violations before are not forgotten", arguments: 0...8)
    func continues(count: Int) throws {
        let (checkpoint, rest) = try Self.parts(after: count)
        #expect(checkpoint.entryCount == count && checkpoint.violationCount == (count > 4 ? 1 : 0))
        let stored = try #require(IMACheckpoint(parsing: checkpoint.bytes))
        #expect(stored == checkpoint)
        let outcome = try IMAReplayTests.match(rest.flatMap { $0 }, try IMAReplayTests.quoted(), from: stored)
        let match = try #require(outcome.match)
        #expect(match.coveredCount == 8 - count && match.violations == (count > 4 ? [] : [4 - count]))
        let whole = try IMAReplayTests.match(try IMASamples.list().bytes, try IMAReplayTests.quoted()).match
        #expect(match.checkpoint == whole?.checkpoint)
    }

    @Test("Nothing new is a match that covers nothing")
    func nothingNew() throws {
        let checkpoint = try Self.parts().checkpoint
        let match = try IMAReplayTests.match([], try IMAReplayTests.quoted(5), from: checkpoint).match
        #expect(match?.coveredCount == 0 && match?.checkpoint == checkpoint)
    }

    @Test("A part that does not continue the checkpoint asks for the whole list")
    func discontinuities() throws {
        let (checkpoint, rest) = try Self.parts(), quoted = try IMAReplayTests.quoted()
        func reason(
            _ pieces: [[UInt8]], startingAt index: Int = 5, bank: HashAlgorithm = .sha256,
            mode: IMAReplay.Mode = .native, quoted: [UInt8], pcr: Int = 10
        ) throws -> IMAReplay.Discontinuity? {
            let list = try IMAList(parsing: pieces.flatMap { $0 }, startingAt: index)
            let outcome = IMAReplay.match(
                list, bank: bank, mode: mode, quoted: quoted, pcr: pcr, from: checkpoint)
            if case .sendWholeList(let reason) = outcome { return reason }
            return nil
        }
        #expect(try reason(rest, quoted: quoted) == nil)
        #expect(try reason(Array(rest.dropFirst()), quoted: quoted) == .neverReached)
        #expect(try reason(rest.reversed(), quoted: quoted) == .neverReached)
        #expect(try reason([rest[0]] + rest, quoted: quoted) == .neverReached)
        #expect(try reason(Array(rest.dropLast()), quoted: quoted) == .neverReached)
        #expect(try reason(IMASamples.pieces(IMASamples.list().bytes), quoted: quoted) == .neverReached)
        // The list shrank: an earlier value is never reached from a later one.
        #expect(try reason([], quoted: IMAReplayTests.quoted(3)) == .neverReached)
        #expect(try reason(rest, quoted: [1]) == .neverReached)
        #expect(try reason(rest, startingAt: 4, quoted: quoted) == .beginsElsewhere)
        #expect(try reason(rest, startingAt: 0, quoted: quoted) == .beginsElsewhere)
        #expect(try reason(rest, bank: .sha384, quoted: quoted) == .otherBank)
        #expect(try reason(rest, mode: .paddedSHA1, quoted: quoted) == .otherBank)
        #expect(try reason(rest, quoted: quoted, pcr: 11) == .otherPCR)
        // Without a checkpoint a part is no list.
        let part = try IMAList(parsing: rest.flatMap { $0 }, startingAt: 5)
        let outcome = IMAReplay.match(part, bank: .sha256, mode: .native, quoted: quoted)
        guard case .sendWholeList(.beginsElsewhere) = outcome else {
            Issue.record("a part was taken for a whole list")
            return
        }
    }

    @Test("Checkpoints of several banks are one, when they are about the same entries")
    func merging() throws {
        let bytes = try IMASamples.list().bytes, list = try IMAList(parsing: bytes)
        func checkpoint(_ bank: HashAlgorithm, _ mode: IMAReplay.Mode, _ count: Int) throws -> IMACheckpoint {
            let value = IMASamples.fold(IMASamples.extensions(bytes), bank, mode)[count]
            return try #require(IMAReplay.match(list, bank: bank, mode: mode, quoted: value).match).checkpoint
        }
        let both = try #require(
            checkpoint(.sha256, .native, 6).merging(checkpoint(.sha384, .paddedSHA1, 6)))
        #expect(both.registers.count == 2 && both.registers[.sha384]?.mode == .paddedSHA1)
        #expect(IMACheckpoint(parsing: both.bytes) == both)
        #expect(try both.merging(checkpoint(.sha512, .native, 7)) == nil)
        #expect(try both.merging(checkpoint(.sha384, .native, 6)) == nil)
    }

    @Test("A stored checkpoint is read exactly, or not at all")
    func strict() throws {
        let bytes = try Self.parts().checkpoint.bytes
        #expect(bytes.count == 23 + 3 + 32)
        for count in bytes.indices { #expect(IMACheckpoint(parsing: Array(bytes.prefix(count))) == nil) }
        #expect(IMACheckpoint(parsing: bytes + [0]) == nil)
        #expect(IMACheckpoint(parsing: bytes + [UInt8](repeating: 0, count: 500)) == nil)
        // Magic, version, PCR, number of banks, counts, bank, mode.
        for (offset, value) in [
            (0, 0), (4, 2), (5, 24), (6, 0), (6, 2), (12, 255), (15, 6), (22, 1), (23, 0x12), (24, 1), (25, 0), (25, 3),
        ] {
            var changed = bytes
            changed[offset] = UInt8(value)
            #expect(IMACheckpoint(parsing: changed) == nil, "\(offset)")
        }
        // The same bank twice.
        var twice = bytes + bytes[23...]
        twice[6] = 2
        #expect(IMACheckpoint(parsing: twice) == nil)
    }
}

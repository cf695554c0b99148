import Cryptography
import MeasurementLogs
import Testing

@Suite("Replaying IMA lists")
struct IMAReplayTests {
    /// A list of random entries of every template.
    static func random(_ generator: inout some RandomNumberGenerator) -> IMAListBuilder {
        var builder = IMAListBuilder()
        for number in 0..<Int.random(in: 1...40, using: &generator) {
            let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let path = "/" + String(repeating: "p", count: Int.random(in: 0...300, using: &generator)) + "\(number)"
            let algorithm = IMADigestAlgorithm.allCases.randomElement(using: &generator) ?? .sha256
            guard let digest = IMADigest(.file, algorithm, bytes.prefix(algorithm.byteCount)) else { continue }
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: builder.addFile(path, digest)
            case 1: builder.addFile(path, digest, signature: bytes, isVersion2: true)
            case 2: builder.addLegacyFile(path, sha1: Array(bytes.prefix(20)))
            case 3: builder.addBuffer(path, bytes)
            case 4: builder.addViolation(path)
            default: builder.add(template: "d-ng|n-ng|x", fields: Array(repeating: bytes, count: number % 15 + 1))
            }
        }
        return builder
    }

    @Test(
        "Random lists replay to what a plain fold computes, at every entry, in every bank and mode", arguments: 0..<20)
    func property(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let builder = Self.random(&generator)
        let list = try IMAList(parsing: builder.bytes)
        let extensions = IMASamples.extensions(builder.bytes)
        for bank in HashAlgorithm.allCases {
            for mode in [IMAReplay.Mode.native, .paddedSHA1] {
                let values = IMASamples.fold(extensions, bank, mode)
                for count in values.indices {
                    let match = IMAReplay.match(list, bank: bank, mode: mode, quoted: values[count]).match
                    #expect(match?.coveredCount == count)
                    let violations = list.entries.prefix(count).filter(\.isViolation).map(\.position)
                    #expect(match?.violations == violations && match?.checkpoint.violationCount == violations.count)
                    #expect(list.entries.filter { match?.covers($0) == true }.count == count)
                }
            }
        }
    }

    /// The sample list and the value that a quote after `count` entries holds.
    static func quoted(_ count: Int = 8) throws -> [UInt8] {
        IMASamples.fold(IMASamples.extensions(try IMASamples.list().bytes), .sha256, .native)[count]
    }

    static func match(
        _ bytes: [UInt8], _ quoted: [UInt8], from checkpoint: IMACheckpoint? = nil, pcr: Int = 10
    ) throws -> IMAReplay.Outcome {
        let list = try IMAList(parsing: bytes, startingAt: checkpoint?.entryCount ?? 0)
        return IMAReplay.match(list, bank: .sha256, mode: .native, quoted: quoted, pcr: pcr, from: checkpoint)
    }

    @Test("What was appended after the quote is not covered")
    func appended() throws {
        var builder = try IMASamples.list()
        builder.addFile("/tmp/late", try IMASamples.digest("late"))
        let list = try IMAList(parsing: builder.bytes)
        let match = try #require(try Self.match(builder.bytes, try Self.quoted()).match)
        #expect(match.coveredCount == 8 && match.covers(list[7]) && !match.covers(list[8]))
        let early = try #require(try Self.match(builder.bytes, try Self.quoted(3)).match)
        #expect(early.coveredCount == 3 && early.violations.isEmpty && !early.covers(list[3]))
    }

    @Test("Entries dropped, repeated, exchanged or put in anywhere never reach the quoted value")
    func edited() throws {
        let pieces = try IMASamples.pieces(IMASamples.list().bytes), quoted = try Self.quoted()
        func isRefused(_ pieces: [[UInt8]]) throws -> Bool {
            try Self.match(pieces.flatMap { $0 }, quoted).match == nil
        }
        #expect(try !isRefused(pieces))
        for index in pieces.indices {
            var edited = pieces
            edited.remove(at: index)
            #expect(try isRefused(edited))
            edited = pieces
            edited.insert(pieces[index], at: index)
            // The last entry's repetition comes after the quoted value: it is there, and not covered.
            let isLast = index == pieces.count - 1
            #expect(try isRefused(edited) != isLast)
            if isLast { #expect(try Self.match(edited.flatMap { $0 }, quoted).match?.coveredCount == 8) }
            guard index > 0 else { continue }
            edited = pieces
            edited.swapAt(index - 1, index)
            #expect(try isRefused(edited))
            #expect(try isRefused(Array(pieces.prefix(index))))
        }
    }

    @Test("A violation cannot be hidden, and none can be pretended")
    func violations() throws {
        let bytes = try IMASamples.list().bytes, quoted = try Self.quoted()
        let list = try IMAList(parsing: bytes)
        #expect(try Self.match(bytes, quoted).match?.violations == [4])
        // The violation's digest column filled in; another entry's emptied.
        var hidden = bytes
        hidden[list[4].statedDigest.startIndex] = 1
        #expect(try Self.match(hidden, quoted).match == nil)
        for index in 0..<8 where index != 4 {
            var pretended = bytes
            for offset in list[index].statedDigest.indices { pretended[offset] = 0 }
            #expect(try Self.match(pretended, quoted).match == nil)
        }
    }

    @Test("Every byte of template data and of PCR indices is covered")
    func bytes() throws {
        let bytes = try IMASamples.list().bytes, quoted = try Self.quoted()
        let list = try IMAList(parsing: bytes)
        for entry in list.entries where !entry.isViolation {
            for offset in Array(entry.templateData.indices) + [entry.statedDigest.startIndex - 4] {
                var changed = bytes
                changed[offset] ^= 1
                guard let read = try? IMAList(parsing: changed) else { continue }
                #expect(IMAReplay.match(read, bank: .sha256, mode: .native, quoted: quoted).match == nil)
            }
        }
    }

    @Test("A stated digest is compared where SHA-1 is extended, and has no say where it is not")
    func statedDigests() throws {
        let sample = try IMASamples.list().bytes
        let list = try IMAList(parsing: sample)
        var bytes = sample
        bytes[list[2].statedDigest.startIndex] ^= 1
        let changed = try IMAList(parsing: bytes), extensions = IMASamples.extensions(sample)
        #expect(!changed[2].statesTrueDigest)
        #expect(try Self.match(bytes, try Self.quoted()).match != nil)
        for (bank, mode) in [(HashAlgorithm.sha256, IMAReplay.Mode.paddedSHA1), (.insecureSHA1, .native)] {
            let value = IMASamples.fold(extensions, bank, mode)[8]
            #expect(IMAReplay.match(list, bank: bank, mode: mode, quoted: value).match != nil)
            guard case .wrongStatedDigest(2) = IMAReplay.match(changed, bank: bank, mode: mode, quoted: value) else {
                Issue.record("the stated digest was not compared")
                return
            }
        }
    }

    @Test("Modes are not mixed, and a value of another length is never reached")
    func modes() throws {
        let bytes = try IMASamples.list().bytes, list = try IMAList(parsing: bytes)
        let padded = IMASamples.fold(IMASamples.extensions(bytes), .sha256, .paddedSHA1)[8]
        #expect(IMAReplay.match(list, bank: .sha256, mode: .native, quoted: padded).match == nil)
        #expect(IMAReplay.match(list, bank: .sha256, mode: .paddedSHA1, quoted: padded).match != nil)
        #expect(IMAReplay.match(list, bank: .sha384, mode: .native, quoted: padded).match == nil)
        #expect(IMAReplay.match(list, bank: .sha256, mode: .native, quoted: []).match == nil)
    }

    @Test("Entries of another PCR are passed over and not covered")
    func otherPCRs() throws {
        var builder = try IMASamples.list()
        builder.pcr = 11
        builder.addFile("/other", try IMASamples.digest("other"))
        builder.pcr = 10
        builder.addFile("/next", try IMASamples.digest("next"))
        let list = try IMAList(parsing: builder.bytes)
        let ten = IMASamples.extensions(try IMASamples.pieces(builder.bytes).enumerated().flatMap { $0 == 8 ? [] : $1 })
        let value = try #require(IMASamples.fold(ten, .sha256, .native).last)
        let match = try #require(try Self.match(builder.bytes, value).match)
        #expect(match.coveredCount == 10 && !match.covers(list[8]) && match.covers(list[9]))
        let other = IMASamples.fold(IMASamples.extensions(try IMASamples.pieces(builder.bytes)[8]), .sha256, .native)[1]
        let eleven = try #require(try Self.match(builder.bytes, other, pcr: 11).match)
        #expect(eleven.coveredCount == 9 && eleven.covers(list[8]) && !eleven.covers(list[0]))
    }
}

/// Random numbers that are the same in every run (Steele, Lea and Flood's SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

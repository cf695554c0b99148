import CarnetEvidence
import CarnetStorage
import CarnetTesting
import Cryptography
import MeasurementLogs
import TPM2
import Testing

@testable import CarnetRecords
@testable import CarnetVerifier

/// The kernel's lists that are kept for rehearsals.
@Suite("Kept lists of files", .timeLimit(.minutes(5)))
struct KeptFileListTests {
    /// How far three entries of a list were verified.
    private func progress() throws -> IMAProgress {
        var machine = try ForgedMachine()
        let list = try GoodBoot.imaList()
        try machine.measure(list)
        let quoted = try #require(machine.registers[.sha256]?[10])
        let match = IMAReplay.match(
            try IMAList(parsing: list.bytes), bank: .sha256, mode: .native, quoted: quoted, pcr: 10
        ).match
        let checkpoint = try #require(match?.checkpoint)
        try #require(checkpoint.entryCount == 3)
        return IMAProgress(resetCount: 1, policyDigest: [1], checkpoint: checkpoint)
    }

    @Test("A part is kept behind the beginning of its list, where that was verified, and nowhere else")
    func parts() async throws {
        let database = try await testDatabase(), verified = try progress()
        func kept(_ changes: [KeptFileList.Change], after progress: IMAProgress?) async throws -> [UInt8]? {
            try await database.write { connection in
                try IMAProgress.store(progress, of: "node", in: connection)
                for change in changes { try KeptFileList.store(change, of: "node", in: connection) }
                return try KeptFileList.of("node", in: connection)?.entries
            }
        }
        let whole = try await kept([.replace([9]), .replace([1, 2])], after: verified)
        #expect(whole == [1, 2])
        let longer = try await kept([.append([3], from: 3), .append([4, 5], from: 3)], after: verified)
        #expect(longer == [1, 2, 4, 5], "what came again stands once")
        let elsewhere = try await kept([.replace([1, 2]), .append([3], from: 2)], after: verified)
        #expect(elsewhere == nil)
        let unverified = try await kept([.replace([1, 2]), .append([3], from: 3)], after: nil)
        #expect(unverified == nil)
        let headless = try await kept([.forget, .append([3], from: 3)], after: verified)
        #expect(headless == nil, "the rest of a list is no list")
    }
}

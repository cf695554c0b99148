import CarnetLedger
import CarnetResult
import CarnetService
import CarnetStorage
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import Logging
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// Somebody who takes checkpoints out of the database together with the entries: the verifier remembers what it signed.
@Suite struct LedgerMemoryTests {
    private func isRefused(_ checkpoints: LedgerCheckpoints, saying reason: String = "") async throws -> Bool {
        do {
            _ = try await checkpoints.make()
            return false
        } catch let problem as Problem {
            #expect(problem.slug == "ledger-set-back" && problem.status == .conflict)
            #expect(reason.isEmpty || problem.detail.contains(reason), "\(problem.detail)")
            return true
        }
    }

    @Test("What is left after entries and checkpoints were removed is not signed anew") func removed() async throws {
        let scene = try await LedgerScene()
        try await scene.spoil("DELETE FROM ledger WHERE number > 2", "DELETE FROM ledger_checkpoints")
        #expect(try await isRefused(scene.checkpoints, saying: "it has no checkpoint"))
        #expect(try await !scene.checkpoints.isTrusted())
        #expect(try await scene.checkpoints.list(after: -1, limit: 10).isEmpty)
        // Who never saw the ledger cannot know.
        #expect(try await scene.checkpoint(at: 5).number == 0)
    }

    @Test("Nor is one that was set back to an earlier checkpoint, or has another in the place of the last")
    func setBack() async throws {
        let scene = try await LedgerScene()
        try await scene.write(1)
        #expect(try await scene.checkpoints.make().number == 1)
        let known = try #require(try await scene.checkpoints.last())
        try await scene.spoil("DELETE FROM ledger_checkpoints WHERE number = 1")
        #expect(try await isRefused(scene.checkpoints, saying: "it ends with checkpoint 0"))
        // The same key signs another checkpoint in its place, and one after it: one branch of two.
        try await scene.write(1)
        #expect(try await scene.checkpoint(at: 2_000_000).number == 1)
        #expect(try await isRefused(scene.checkpoints))
        try await scene.write(1)
        #expect(try await scene.checkpoint(at: 2_000_001).number == 2)
        #expect(try await isRefused(scene.checkpoints))
        // With the one that it knows in its place it goes on.
        try await scene.spoil(
            "DELETE FROM ledger_checkpoints WHERE number > 0",
            "INSERT INTO ledger_checkpoints (number, time, statement) VALUES (1, \(known.time), \(known.token))")
        #expect(try await scene.checkpoints.make().number == 2)
    }

    @Test("A last checkpoint by another key, or of another number, is not built upon") func foreign() async throws {
        let stranger = try SigningKey(.generate())
        for isFresh in [true, false] {
            let scene = try await LedgerScene(isFresh ? 0 : 6)
            let last = try await scene.checkpoints.last(), number = (last?.number ?? -1) + 1
            let forged = try stranger.sign(
                LedgerCheckpoint(
                    issuer: "https://verifier.example", number: number, issuedAt: 1_000_000,
                    previous: last.map { LedgerCheckpoint.digest(of: $0.token) } ?? LedgerEntryRecord.root, heads: []))
            try await scene.spoil(
                "INSERT INTO ledger_checkpoints (number, time, statement) VALUES (\(number), 1000000, \(forged))")
            #expect(try await isRefused(scene.checkpoints))
            try await scene.spoil("UPDATE ledger_checkpoints SET statement = \([0x41]) WHERE number = \(number)")
            #expect(try await isRefused(scene.checkpoints))
        }
        let scene = try await LedgerScene()
        try await scene.spoil("UPDATE ledger_checkpoints SET number = 7")
        let newcomer = LedgerCheckpoints(
            ledger: scene.ledger, issuer: "https://verifier.example", clock: WallClock { 1 },
            sign: { [key = scene.key] in try key.sign($0) }, keys: { [keys = scene.keys] in keys })
        #expect(try await isRefused(newcomer))
    }

    @Test("An operator may accept what the database has, and the ledger tells of it") func accepted() async throws {
        let scene = try await LedgerScene()
        try await scene.spoil("DELETE FROM ledger_checkpoints", "DELETE FROM ledger WHERE number > 2")
        #expect(try await isRefused(scene.checkpoints))
        try await scene.checkpoints.accept()
        #expect(try await scene.checkpoints.make().number == 0)
        let told = try await scene.ledger.read { connection in
            try connection.rows("SELECT number FROM ledger WHERE kind = 'operation' AND subject = 'no checkpoint'")
                .count
        }
        #expect(told == 1)
        // Also one that a key signed which is not known any more.
        let stranger = LedgerCheckpoints(
            ledger: scene.ledger, issuer: "https://verifier.example", clock: WallClock { 1 },
            sign: { [key = try SigningKey(.generate())] in try key.sign($0) }, keys: { JSONWebKeySet([:]) })
        #expect(try await isRefused(stranger))
        try await stranger.accept()
        #expect(try await stranger.make().number == 1)
        // What cannot be read cannot be accepted.
        try await scene.spoil("UPDATE ledger_checkpoints SET statement = \([0x41])")
        await #expect(throws: StorageError.self) { try await stranger.accept() }
    }

    @Test("Checkpoints are listed to the last, some at a time") func listing() async throws {
        let scene = try await LedgerScene()
        for time in 0..<40 {
            try await scene.write(1)
            try await scene.checkpoint(at: 1_000_001 + Int64(time))
        }
        #expect(try await scene.checkpoints.list(after: -1, limit: 1000).map(\.number) == Array(0...40))
        #expect(try await scene.checkpoints.list(after: 3, limit: 17).map(\.number) == Array(4...20))
    }

    @Test("A verifier takes over what another replica signed, and its file outlives the process") func replicas()
        async throws
    {
        let folder = try TemporaryDirectory(), path = folder.path + "/ledger-checkpoint"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let scene = try await LedgerScene(memory: CheckpointMemory(file: path, logger))
        try await scene.write(1)
        let other = try await scene.checkpoint(at: 1_000_001)
        #expect(try await scene.checkpoints.isTrusted())
        let file = try #require(try PrivateFile.read(path, maximumByteCount: 1 << 20))
        #expect(file == other.token + [UInt8(ascii: "\n")])
        // Older than the database is no fault: a replica was away for a while.
        try await scene.write(1)
        try await scene.checkpoint(at: 1_000_002)
        var later = scene.checkpoints
        later.memory = try CheckpointMemory(file: path, logger)
        #expect(try await later.isTrusted())
        try await scene.spoil("DELETE FROM ledger_checkpoints WHERE number > 0")
        later.memory = try CheckpointMemory(file: path, logger)
        #expect(later.memory.checkpoint?.unverifiedContent.number == 2)
        #expect(try await isRefused(later))
    }

    @Test("Those who make checkpoints at the same time with one memory do not distrust one another")
    func together() async throws {
        let scene = try await LedgerScene(0)
        for round in 0..<10 {
            try await scene.write(1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { _ = try await scene.checkpoints.make() }
                    group.addTask {
                        let isTrusted = try await scene.checkpoints.isTrusted()
                        #expect(isTrusted, "round \(round)")
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(try await scene.checkpoints.last()?.number == 9)
        #expect(try await scene.audit().isSound)
    }

    @Test("A file that holds no checkpoint is not taken for none") func unreadable() throws {
        let folder = try TemporaryDirectory(), path = folder.path + "/ledger-checkpoint"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        #expect(try CheckpointMemory(file: path, logger).checkpoint == nil)
        for bytes in [[], Array("\n".utf8), Array("e30.e30.e30".utf8)] as [[UInt8]] {
            try PrivateFile.replace(path, bytes)
            #expect(throws: ServiceStartError.self) { try CheckpointMemory(file: path, logger) }
        }
        try PrivateFile.replace(path, Array("x".utf8))
        #expect(chmod(path, 0o644) == 0)
        #expect { try CheckpointMemory(file: path, logger) } throws: { error in
            error as? ServiceStartError == .exposed(path, mode: "644")
        }
    }

    @Test("The operator is told, passports go on, and an older database that was restored on purpose is taken again")
    func operators() async throws {
        let verifier = try verifierWithPolicy { $0.servesMetrics = true }
        let file = verifier.folder + "/ledger-checkpoint"
        try await verifier.run { client in
            let admin = try verifier.administrator
            #expect(try await client.call(.post, "/admin/v1/ledger/checkpoints", token: admin).status == 201)
        }
        let database = try await verifier.database.open()
        try await database.write { connection in
            try connection.execute("DELETE FROM ledger_checkpoints")
            try connection.execute("DELETE FROM ledger")
        }
        try await verifier.run { client in
            let admin = try verifier.administrator
            let answer = try await client.call(.post, "/admin/v1/ledger/checkpoints", token: admin)
            #expect(answer.status == 409 && answer.problem == "ledger-set-back")
            #expect(try await client.call(.get, "/metrics").text.contains("\ncarnet_ledger_trusted 0\n"))
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: admin)
            #expect(try await machine.answer(machine.session()).json["status"]?.string == "complete")
        }
        try FileManager.default.removeItem(atPath: file)
        try await verifier.run { client in
            let admin = try verifier.administrator
            #expect(try await client.call(.post, "/admin/v1/ledger/checkpoints", token: admin).status == 201)
        }
    }
}

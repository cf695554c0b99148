import CarnetEvidence
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Cryptography
import Fixtures
import StrictEncoding
import Testing

/// Places in status lists, in the database: tokens of one approved machine, issued at a time that a test chooses.
@Suite struct StatusEntryTests {
    private struct Scene: Sendable {
        let database: any SQLDatabase
        let node: Node

        init() async throws {
            database = try await testDatabase()
            let store = NodeStore(database)
            _ = try await store.add(
                "node", identity(), boot: BootCounters(resetCount: 1, restartCount: 0, clock: 1), firmwareVersion: 1,
                approver: "a", now: 0)
            node = try #require(try await store.node("node"))
        }

        /// Issues a token and gives its place.
        func issue(_ id: String, at time: Int64, lifetime: Int64 = 300, policy: [UInt8]? = nil) async throws
            -> StatusEntry?
        {
            let entry = LedgerEntry(
                time: time, kind: .passport, challengeDigest: SecureRandom.bytes(32), requester: nil, nodeID: "node",
                outcome: .affirming, policyDigest: policy, evidenceDigest: [], tokenID: id, findings: Array("[]".utf8))
            let subject = Ledger.Subject(
                node: node, counters: BootCounters(resetCount: 1, restartCount: 0, clock: 9), firmwareVersion: 1)
            return try await Ledger(database).record(subject, statusLifetime: lifetime) { _ in entry }.1.statusEntry
        }

        func isRevoked(_ entry: StatusEntry) async throws -> Bool {
            let hour = entry.list.hour, list = entry.list.number, position = Int64(entry.index)
            return try await database.read { connection in
                try connection.row(
                    "SELECT 1 FROM revoked_entries WHERE hour = \(hour) AND list = \(list) AND position = \(position)")
            } != nil
        }

        func count(_ table: SQL) async throws -> Int { try await database.read { try $0.rows(table).count } }
    }

    @Test("Every token has a place of its own, in the list of the hour in which it expires") func places() async throws
    {
        let scene = try await Scene()
        var places: Set<StatusEntry> = []
        for number in 0..<50 {
            let entry = try #require(try await scene.issue("t\(number)", at: 3590, lifetime: 20))
            #expect(entry.list == StatusListID(hour: 1, number: 0) && (0..<(1 << 20)).contains(entry.index))
            places.insert(entry)
        }
        #expect(places.count == 50)
        #expect(try await scene.issue("u", at: 3590, lifetime: 9)?.list.hour == 0)
        #expect(try await scene.issue("v", at: 3590, lifetime: 10)?.list.hour == 1)
    }

    @Test("Replicas that issue at once never give one place twice, and no token is lost") func replicas() async throws {
        let scene = try await Scene()
        let entries = try await withThrowingTaskGroup(of: StatusEntry?.self) { group in
            for number in 0..<64 { group.addTask { try await scene.issue("t\(number)", at: 10) } }
            return try await group.reduce(into: [StatusEntry]()) { if let entry = $1 { $0.append(entry) } }
        }
        #expect(entries.count == 64 && Set(entries).count == 64)
        #expect(try await scene.count("SELECT 1 FROM status_entries") == 64)
    }

    @Test("A full list is left for the next, and when all are full nothing is issued nor consumed") func full()
        async throws
    {
        let scene = try await Scene()
        func fill(_ list: Int64) async throws {
            // Every place of one list at once, by doubling; a slow disk may take its time.
            try await scene.database.writeAlone { connection in
                try connection.execute(
                    """
                    INSERT INTO status_entries (hour, list, position, token_id, issued_at, expires_at)
                    VALUES (0, \(list), 0, \("full-\(list)-0"), 0, 3599)
                    """)
                var count: Int64 = 1
                while count < 1 << 20 {
                    try connection.execute(
                        """
                        INSERT INTO status_entries (hour, list, position, token_id, issued_at, expires_at)
                        SELECT 0, \(list), position + \(count), \("full-\(list)-") || (position + \(count)), 0, 3599
                        FROM status_entries WHERE hour = 0 AND list = \(list)
                        """)
                    count *= 2
                }
            }
        }
        try await fill(0)
        #expect(try await scene.issue("t", at: 10)?.list == StatusListID(hour: 0, number: 1))
    }

    @Test("What was on its way when its machine, policy or time was withdrawn is withdrawn with it") func race()
        async throws
    {
        let scene = try await Scene(), policy = [UInt8](repeating: 7, count: 32)
        try await scene.database.write { connection in
            try connection.execute(
                "INSERT INTO policies (digest, id, text, created_at, created_by) VALUES (\(policy), 'p', \([0]), 0, 'a')"
            )
        }
        let revocations = Revocations(scene.database)
        func check(_ target: Revocation.Target, at time: Int64, early: Int64, late: Int64) async throws {
            let decided = try await revocations.revoke(target, reason: "x", by: "a", now: time)
            #expect(decided?.tokenCount == 0)
            let first = try #require(try await scene.issue("e\(time)", at: early, policy: policy))
            let second = try #require(try await scene.issue("l\(time)", at: late, policy: policy))
            #expect(try await scene.isRevoked(first), "\(target)")
            #expect(try await !scene.isRevoked(second), "\(target)")
        }
        try await check(.node("node"), at: 100, early: 100, late: 101)
        try await check(.policy(policy), at: 600, early: 600, late: 601)
        try await check(.issuedBefore(1190), at: 1200, early: 1189, late: 1190)
        _ = try await revocations.revoke(.node("node"), reason: "x", by: "a", now: 2000)
        let other = try await revocations.revoke(.node("other"), reason: "x", by: "a", now: 3000)
        #expect(other == nil)
        let last = try #require(try await scene.issue("last", at: 2500))
        #expect(try await !scene.isRevoked(last))
    }

    @Test("Only living tokens are withdrawn, each once; every decision is numbered and chained") func living()
        async throws
    {
        let scene = try await Scene(), revocations = Revocations(scene.database)
        let dead = try #require(try await scene.issue("dead", at: 0)),
            alive = try #require(try await scene.issue("alive", at: 400))
        let first = try await revocations.revoke(.node("node"), reason: "first", by: "op", now: 450)
        #expect(first?.tokenCount == 1 && first?.number == 0)
        #expect(try await scene.isRevoked(alive))
        #expect(try await !scene.isRevoked(dead))
        let second = try await revocations.revoke(.issuedBefore(450), reason: "second", by: "op", now: 450)
        #expect(second?.tokenCount == 0 && second?.number == 1)
        #expect(try await revocations.revoke(.token("dead"), reason: "x", by: "op", now: 450) == nil)
        #expect(try await revocations.revoke(.token("nobody"), reason: "x", by: "op", now: 450) == nil)
        #expect(try await revocations.newest(10).map(\.reason) == ["second", "first"])
        #expect(try await Ledger(scene.database).faults().isEmpty)
    }

    @Test("Places of a list that is served are never free again; those of retired ones are cleared") func clearing()
        async throws
    {
        let scene = try await Scene()
        for number in 0..<40 { _ = try await scene.issue("old\(number)", at: 10) }
        _ = try await Revocations(scene.database).revoke(.issuedBefore(11), reason: "x", by: "a", now: 20)
        // All have expired, and their list is served until 3720.
        _ = try await scene.issue("new", at: 3719)
        #expect(try await scene.count("SELECT 1 FROM status_entries WHERE hour = 0") == 40)
        for number in 0..<3 { _ = try await scene.issue("newer\(number)", at: 3720) }
        #expect(try await scene.count("SELECT 1 FROM status_entries WHERE hour = 0") == 0)
        #expect(try await scene.count("SELECT 1 FROM revoked_entries") == 0)
        #expect(try await scene.count("SELECT 1 FROM status_lists") == 1)
    }
}

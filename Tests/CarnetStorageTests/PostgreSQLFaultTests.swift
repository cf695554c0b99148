import CarnetStorage
import Fixtures
import Foundation
import Synchronization
import Testing

/// Servers of their own, that are stopped, killed, filled and held up while they are used.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: PostgreSQLServer.isInstalled, Comment(rawValue: PostgreSQLServer.skipReason)))
struct PostgreSQLFaultTests {
    private let unavailable = StorageError(.unavailable, "")

    private func server(_ settings: [String] = []) throws -> PostgreSQLServer {
        try #require(try PostgreSQLServer.install(settings))
    }

    private func open(_ address: String, connections: Int = 4, timeout: Double = 2) async throws -> PostgreSQLDatabase {
        var settings = PostgreSQLSettings()
        settings.maximumConnectionCount = connections
        settings.timeout = timeout
        settings.connectTimeout = 5
        settings.statementTimeout = 4
        return try await .open(try PostgreSQLAddress(parsing: address), settings)
    }

    private func table(_ database: PostgreSQLDatabase) async throws {
        try await database.write { try $0.execute("CREATE TABLE t (id BIGINT PRIMARY KEY)") }
    }

    private func insert(_ id: Int64, _ database: PostgreSQLDatabase) async throws {
        try await database.write { try $0.execute("INSERT INTO t (id) VALUES (\(id))") }
    }

    private func ids(_ database: PostgreSQLDatabase) async throws -> [Int64] {
        try await database.read { try $0.rows("SELECT id FROM t ORDER BY id").map { try $0.integer("id") } }
    }

    @Test("While the server is stopped nothing works; when it is back everything does, and nobody notices a restart")
    func restart() async throws {
        let server = try server()
        let database = try await open(server.makeDatabase())
        try await table(database)
        try await insert(1, database)
        server.stop()
        await #expect(throws: unavailable) { try await insert(2, database) }
        await #expect(throws: unavailable) { _ = try await ids(database) }
        await #expect(throws: unavailable) { _ = try await open(server.address("test_1")) }
        try server.start()
        try await insert(3, database)
        server.stop()
        try server.start()
        try await insert(4, database)
        #expect(try await ids(database) == [1, 3, 4])
    }

    @Test("Whatever was acknowledged before the server is killed is there afterwards") func crash() async throws {
        let server = try server()
        let database = try await open(server.makeDatabase())
        try await table(database)
        for round: Int64 in 0..<3 {
            let acknowledged = Numbers(), refused = Numbers()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer: Int64 in 0..<4 {
                    group.addTask {
                        for number: Int64 in 0..<100_000 {
                            let id = round * 10_000_000 + writer * 1_000_000 + number
                            do {
                                try await insert(id, database)
                                acknowledged.add(id)
                            } catch let error as StorageError {
                                #expect(error == unavailable)
                                refused.add(id)
                                return
                            }
                        }
                    }
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
                server.crash()
                try await group.waitForAll()
            }
            try server.start()
            let found = Set(try await ids(database).filter { $0 / 10_000_000 == round })
            let promised = acknowledged.all
            #expect(!promised.isEmpty && promised.isSubset(of: found))
            #expect(found.subtracting(promised).isSubset(of: refused.all))
        }
    }

    @Test("A server that was made read-only still answers reads, and takes writes again later") func readOnly()
        async throws
    {
        let server = try server()
        let database = try await open(server.makeDatabase())
        try await table(database)
        try await insert(1, database)
        for (value, works) in [("on", false), ("off", true)] {
            _ = try server.sql("ALTER SYSTEM SET default_transaction_read_only = \(value)")
            _ = try server.sql("SELECT pg_reload_conf()")
            try await Task.sleep(for: .milliseconds(500))
            if works {
                try await insert(2, database)
            } else {
                await #expect(throws: unavailable) { try await insert(2, database) }
                #expect(try await ids(database) == [1])
            }
        }
        #expect(try await ids(database) == [1, 2])
    }

    @Test("A server without free connections, and a pool without, are unavailable and not waited for without end")
    func outOfConnections() async throws {
        // Three of the five are the superuser's.
        let server = try server(["max_connections=5"])
        let address = try server.makeDatabase()
        let hog = try await open(address, connections: 2, timeout: 0.5)
        try await table(hog)
        let release = DispatchSemaphore(value: 0)
        let (started, announce) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id: Int64 in 1...2 {
                group.addTask {
                    try await hog.write { connection in
                        try connection.execute("INSERT INTO t (id) VALUES (\(id))")
                        announce.yield()
                        release.wait()
                    }
                }
            }
            var count = 0
            for await _ in started {
                count += 1
                if count == 2 { break }
            }
            await #expect(throws: unavailable) { _ = try await open(address) }
            let start = ContinuousClock.now
            await #expect(throws: unavailable) { _ = try await ids(hog) }
            #expect(ContinuousClock.now - start < .seconds(20))
            for _ in 1...2 { release.signal() }
            try await group.waitForAll()
        }
        #expect(try await ids(hog) == [1, 2])
    }

    @Test("A lock that another session holds is waited for as long as the timeout says") func slow() async throws {
        let server = try server()
        let address = try server.makeDatabase()
        let holder = try await open(address), database = try await open(address, timeout: 0.3)
        try await table(holder)
        let release = DispatchSemaphore(value: 0)
        let (started, announce) = AsyncStream<Void>.makeStream()
        async let holding: Void = holder.write { connection in
            try connection.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            announce.yield()
            release.wait()
        }
        for await _ in started { break }
        let start = ContinuousClock.now
        await #expect(throws: unavailable) { try await insert(1, database) }
        await #expect(throws: unavailable) { _ = try await ids(database) }
        #expect(ContinuousClock.now - start < .seconds(20))
        // A statement that runs too long, without any lock.
        await #expect(throws: unavailable) { _ = try await database.read { try $0.rows("SELECT 1 FROM pg_sleep(30)") } }
        release.signal()
        try await holding
        try await insert(1, database)
    }

    @Test("A server that stops answering is not waited for without end") func frozen() async throws {
        let server = try server()
        let database = try await open(server.makeDatabase(), connections: 1)
        try await table(database)
        let backend = Numbers()
        await #expect(throws: unavailable) {
            try await database.write { connection in
                try connection.execute("INSERT INTO t (id) VALUES (1)")
                let row = try connection.row("SELECT pg_backend_pid() AS id")
                let identifier = try row?.integer("id") ?? 0
                backend.add(identifier)
                #expect(identifier > 1 && kill(pid_t(identifier), SIGSTOP) == 0)
                try connection.execute("INSERT INTO t (id) VALUES (2)")
            }
        }
        for identifier in backend.all { kill(pid_t(identifier), SIGCONT) }
        try await insert(3, database)
        #expect(try await ids(database) == [3])
    }

    @Test("A session that an operator ends loses its transaction, and the next one works") func terminated()
        async throws
    {
        let server = try server()
        let database = try await open(server.makeDatabase(), connections: 1)
        try await table(database)
        await #expect(throws: unavailable) {
            try await database.write { connection in
                try connection.execute("INSERT INTO t (id) VALUES (1)")
                _ = try connection.rows("SELECT 1 FROM pg_terminate_backend(pg_backend_pid())")
                try connection.execute("INSERT INTO t (id) VALUES (2)")
            }
        }
        try await insert(3, database)
        #expect(try await ids(database) == [3])
    }

    @Test("When the answer to COMMIT is lost, the error says that the outcome is unknown: here it was committed")
    func lostAnswer() async throws {
        let server = try server()
        let address = try server.makeDatabase()
        let proxy = try LossyProxy(to: server.port)
        defer { proxy.close() }
        let direct = try await open(address)
        try await table(direct)
        let database = try await open(
            address.replacing(":\(server.port)/", with: ":\(proxy.port)/"), connections: 1)
        try await insert(1, database)
        do {
            try await database.write { connection in
                try connection.execute("INSERT INTO t (id) VALUES (2)")
                proxy.swallowAnswers()
            }
            Issue.record("the commit was acknowledged without its answer")
        } catch let error as StorageError {
            #expect(error == unavailable && error.outcomeIsUnknown && error.reason.contains("unknown"))
        }
        #expect(try await ids(direct) == [1, 2])
    }

    @Test("A session that ends before COMMIT says so: nothing was changed") func knownOutcome() async throws {
        let server = try server()
        let database = try await open(server.makeDatabase(), connections: 1)
        try await table(database)
        do {
            try await database.write { connection in
                try connection.execute("INSERT INTO t (id) VALUES (1)")
                _ = try connection.rows("SELECT 1 FROM pg_terminate_backend(pg_backend_pid())")
            }
        } catch let error as StorageError { #expect(error == unavailable && !error.outcomeIsUnknown) }
        #expect(try await ids(database).isEmpty)
    }
}

/// Numbers that several tasks collect.
private final class Numbers: Sendable {
    private let numbers = Mutex<Set<Int64>>([])

    var all: Set<Int64> { numbers.withLock(\.self) }

    func add(_ number: Int64) { numbers.withLock { _ = $0.insert(number) } }
}

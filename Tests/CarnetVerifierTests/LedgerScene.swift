import CarnetLedger
import CarnetResult
import CarnetStorage
import Cryptography
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// A ledger of two chains with signed checkpoints, ready to be spoilt.
struct LedgerScene {
    let database: any SQLDatabase
    let ledger: Ledger
    let checkpoints: LedgerCheckpoints
    let key: SigningKey

    /// - Parameter count: How many entries each chain has.
    init(
        _ count: Int = 6, at time: Int64 = 1_000_000,
        on engine: TestDatabasePlace.Engine = TestDatabasePlace.usualEngine,
        memory: CheckpointMemory = CheckpointMemory()
    ) async throws {
        let key = try SigningKey(.generate())
        self.key = key
        database = try await testDatabase(on: engine)
        ledger = Ledger(database, writer: "a")
        checkpoints = LedgerCheckpoints(
            ledger: ledger, issuer: "https://verifier.example", clock: WallClock { time }, sign: { try key.sign($0) },
            keys: { JSONWebKeySet([key.keyID: key.publicKey]) }, memory: memory)
        try await write(count, at: time)
        if count > 0 { _ = try await checkpoints.make() }
    }

    /// Makes a checkpoint at a time.
    @discardableResult
    func checkpoint(at time: Int64) async throws -> LedgerCheckpoints.Stored {
        let key = key
        return try await LedgerCheckpoints(
            ledger: ledger, issuer: "https://verifier.example", clock: WallClock { time }, sign: { try key.sign($0) },
            keys: { JSONWebKeySet([key.keyID: key.publicKey]) }
        ).make()
    }

    /// Writes entries to both chains.
    func write(_ count: Int, at time: Int64 = 1_000_000) async throws {
        let other = Ledger(database, writer: "b")
        for number in 0..<count {
            let action = OperatorAction(
                .policyStored, "policy-\(number)", by: "operator", details: ["note": "é\"\\\n\u{1}"])
            try await ledger.append(.operation(action), at: time)
            try await other.append(.service(ServiceStep(isStart: true, version: "\(number)")), at: time)
        }
    }

    /// The set that the checkpoints are signed under.
    var keys: JSONWebKeySet { JSONWebKeySet([key.keyID: key.publicKey]) }

    /// What an audit of the database finds.
    func audit(kept: [UInt8]? = nil, keys: JSONWebKeySet? = nil) async throws -> LedgerAuditReport {
        var audit = LedgerAudit(keys: keys ?? self.keys)
        if let kept { audit.add(kept: kept) }
        for checkpoint in try await checkpoints.list(after: -1, limit: 1000) { audit.add(checkpoint: checkpoint.token) }
        for chain in try await ledger.chains() {
            for line in try await ledger.lines(of: chain.name, after: -1, limit: 10_000) { audit.add(line) }
        }
        return audit.finish()
    }

    /// The lines of an export.
    func export() async throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for chain in try await ledger.chains() {
            lines += try await ledger.lines(of: chain.name, after: -1, limit: 10_000).map(\.bytes)
        }
        return try await lines
            + checkpoints.list(after: -1, limit: 1000).map { LedgerLine.checkpoint($0.token).bytes }
    }

    /// What an audit of an export finds.
    func audit(export lines: [[UInt8]]) -> LedgerAuditReport {
        var audit = LedgerAudit(keys: keys, isExport: true)
        for line in lines {
            if case .checkpoint(let token)? = LedgerLine(parsing: line) { audit.add(checkpoint: token) }
        }
        for (index, line) in lines.enumerated() { audit.add(line, line: Int64(index + 1)) }
        return audit.finish()
    }

    /// Runs statements behind the ledger's back.
    func spoil(_ statements: SQL...) async throws {
        try await database.write { connection in for statement in statements { try connection.execute(statement) } }
    }
}

import CarnetEvidence
import CarnetService
import CarnetStorage
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import HTTPTypes
import ServiceHarness
import Testing
import VerifierHarness

/// A database of the first release in which somebody wrote rows that no verifier would have written, and an upgrade of it.
@Suite(.timeLimit(.minutes(5)))
struct HostileRowTests {
    /// What the columns of a row hold.
    enum Spoiling: CaseIterable {
        case extreme, odd, long, otherTypes

        func value(_ type: String, _ row: Int64) -> SQLValue {
            switch (self, type) {
            case (.extreme, "BIGINT"): .integer(row == 0 ? .min : .max)
            case (.extreme, "BYTEA"): .bytes([UInt8(truncatingIfNeeded: row)])
            case (.extreme, _): .text(row == 0 ? "" : "\u{7F}")
            case (.odd, "BIGINT"): .integer(-1 - row)
            case (.odd, "BYTEA"): .bytes([UInt8](repeating: UInt8(truncatingIfNeeded: row), count: 33))
            case (.odd, _): .text("'; DROP TABLE nodes; --\u{1B}[2J\u{202E}\n{\"\(row)\":")
            case (.long, "BIGINT"): .integer(1 << (40 + row))
            case (.long, "BYTEA"): .bytes([UInt8](repeating: UInt8(truncatingIfNeeded: row), count: 1 << 16))
            case (.long, _): .text(String(repeating: "a\(row)", count: 1 << 15))
            case (.otherTypes, "BIGINT"): .text("noon \(row)")
            case (.otherTypes, "BYTEA"): .integer(row)
            case (.otherTypes, _): .bytes([0xFF, 0xFE, UInt8(truncatingIfNeeded: row)])
            }
        }
    }

    /// Every table of the first release.
    private static func tables(_ connection: any SQLConnection) throws -> [String] {
        try connection.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").map {
            try $0.text("name")
        }
        .filter { !$0.contains("migration") }
    }

    private static func spoil(_ table: String, _ how: Spoiling, _ connection: any SQLConnection) throws {
        let columns = try connection.rows(SQL(stringLiteral: "SELECT name, type FROM pragma_table_info('\(table)')"))
        for row: Int64 in 0..<2 {
            var text = SQL.StringInterpolation(literalCapacity: 0, interpolationCount: columns.count)
            text.appendLiteral(
                "INSERT INTO \(table) (\(try columns.map { try $0.text("name") }.joined(separator: ", "))) VALUES (")
            for (index, column) in columns.enumerated() {
                if index > 0 { text.appendLiteral(", ") }
                text.appendInterpolation(how.value(try column.text("type"), row))
            }
            text.appendLiteral(")")
            try connection.execute(SQL(stringInterpolation: text))
        }
    }

    @Test("It starts and answers, or says why it does not start; it never falls over", arguments: Spoiling.allCases)
    func upgrade(_ how: Spoiling) async throws {
        let tables = try await place(how, nil).tables
        #expect(tables.count >= 8)
        for table in tables {
            let verifier = try await place(how, table).verifier
            do {
                try await verifier.run { client in try await ask(client, verifier, "\(table) \(how)") }
            } catch {
                let reason = "\(error)"
                #expect(error is ServiceStartError || error is StorageError, "\(table) \(how): \(reason)")
                #expect(!reason.isEmpty)
            }
        }
    }

    /// A verifier that was never started, on a database of the first release with a spoilt table.
    private func place(
        _ how: Spoiling, _ table: String?
    ) async throws -> (verifier: VerifierUnderTest, tables: [String]) {
        let policy = try SimulatedTPM.policyFile(), folder = try TemporaryFolder.make("old")
        let verifier = try VerifierUnderTest(on: .sqlite) { configuration in
            configuration.dataDirectory = folder + "/data"
            configuration.policyFile = policy
        }
        _ = try DataDirectory(folder + "/data")
        let database = try await verifier.configurationDatabase.open(timeout: 5, maximumConnectionCount: 1)
        try await database.migrate(Array(Schema.migrations.prefix(1)), now: 0)
        let tables = try await database.write { connection in
            if let table { try Self.spoil(table, how, connection) }
            return try Self.tables(connection)
        }
        return (verifier, tables)
    }

    private func ask(_ client: ServiceClient, _ verifier: VerifierUnderTest, _ what: String) async throws {
        let administrator = try verifier.administrator
        func check(_ answer: ServiceClient.Answer, _ call: String) {
            let isRight = answer.status < 500 || (answer.status == 503 && answer.problem == "unavailable")
            #expect(isRight, "\(what), \(call): \(answer.status) \(answer.text.prefix(300))")
        }
        for path in [
            "/admin/v1/nodes", "/admin/v1/policies", "/admin/v1/api-tokens", "/admin/v1/endorsement-keys",
            "/admin/v1/appraisals", "/admin/v1/revocations", "/admin/v1/ledger/chains", "/admin/v1/signing-keys",
            "/admin/v1/webhooks", "/admin/v1/pcr-templates", "/admin/v1/reference-sets", "/.well-known/jwks.json",
            "/status-lists", "/readyz", "/livez",
        ] { check(try await client.call(.get, path, token: administrator), path) }
        let machine = SimulatedMachine(try SimulatedTPM(), client)
        check(try await machine.begin(), "enrolment")
        guard (try? await machine.enrol(administrator: administrator)) != nil,
            let session = try? await machine.session()
        else { return }
        check(try await machine.answer(session), "evidence")
    }
}

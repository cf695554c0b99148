import CarnetTesting
import Fixtures
import Foundation
import Testing
import VerifierHarness

/// The verifier as an operator starts it.
@Suite("carnet-verifier", .timeLimit(.minutes(5)))
struct VerifierCommandTests {
    private let verifier = Program("carnet-verifier"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private var required: [String] {
        [
            "--data", folder.path + "/data", "--issuer", VerifierUnderTest.issuer, "--audience",
            VerifierUnderTest.audience,
        ]
    }

    @Test("What keeps it from starting is told in one line, with status 1")
    func unable() async throws {
        let garbage = try folder.write(Array("version: 7".utf8), "garbage.yaml")
        let readable = try folder.write(Array(repeating: 7, count: 32), "key")
        let plain = required + ["--plain-http", "--listen", "127.0.0.1:0"]
        let cases: [(arguments: [String], names: String)] = [
            (plain + ["--policy", "/no/such/policy"], "/no/such/policy"),
            (plain + ["--policy", garbage], "version"), (plain + ["--trust-anchors", "/no/such/folder"], "/no/such"),
            (required + ["--tls-certificate", garbage, "--tls-private-key", garbage], "garbage"),
            (plain + ["--key-encryption-key", readable], "key"),
            (required + ["--plain-http", "--listen", "0.0.0.0:0"], "loopback"),
            (plain + ["--database", "postgresql://carnet:se@cret@db.example/carnet"], "%40"),
            (plain + ["--database", "postgresql://carnet:secret@127.0.0.1:1/carnet"], "127.0.0.1"),
            (plain + ["--database", "mysql://carnet:secret@db.example/carnet"], "postgresql://"),
            (plain + ["--database-connections", "0"], "--database-connections"),
            (plain + ["--token-lifetime", "5"], "lifetime"), (plain + ["--issuer", "verifier"], "issuer"),
        ]
        for (arguments, names) in cases {
            let ending = try await verifier.run(arguments)
            #expect(ending.status == 1 || ending.status == 2, "\(arguments) \(ending)")
            #expect(ending.errors.contains(names), "\(arguments) \(ending)")
            #expect(!(ending.errors + ending.text).contains("cret@"), "\(arguments)")
        }
    }

    @Test("It tells where it listens, makes its files private, and ends with status 0 when it is asked to")
    func life() async throws {
        let address = folder.path + "/address"
        let start =
            required + [
                "--plain-http", "--listen", "127.0.0.1:0", "--address-file", address, "--log-level", "debug",
            ]
        for _ in 0..<2 {
            let running = try verifier.start(start, log: folder.path + "/log")
            #expect(try await eventually { FileManager.default.fileExists(atPath: address) })
            let text = String(decoding: try folder.read("address"), as: UTF8.self)
            #expect(text.hasPrefix("127.0.0.1:"))
            for file in ["carnet.sqlite", "key-encryption-key", "ledger-chain"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/data/" + file)
                #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
            }
            #expect(running.stop() == 0)
            try FileManager.default.removeItem(atPath: address)
        }
    }

    @Test(
        "With --database its state is in PostgreSQL, and the password nowhere",
        .enabled(if: PostgreSQLServer.isInstalled))
    func postgreSQL() async throws {
        let server = try #require(try PostgreSQLServer.shared())
        let database = try server.makeDatabase()
        let address = folder.path + "/address"
        let running = try verifier.start(
            required + [
                "--plain-http", "--listen", "127.0.0.1:0", "--address-file", address, "--log-level", "debug",
                "--database", database,
            ], log: folder.path + "/log")
        #expect(try await eventually { FileManager.default.fileExists(atPath: address) })
        #expect(running.stop() == 0)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/data/carnet.sqlite"))
        for status: Int32 in [0, 1] {
            let made = try await verifier.run(["bootstrap", "--data", folder.path + "/data", "--database", database])
            #expect(made.status == status && !made.errors.contains(PostgreSQLServer.password), "\(made)")
        }
        #expect(try server.sql("SELECT count(*) FROM api_tokens", in: database) == "1")
        let log = String(decoding: try folder.read("log"), as: UTF8.self)
        #expect(log.contains("postgresql://carnet@127.0.0.1") && !log.contains(PostgreSQLServer.password))
    }
}

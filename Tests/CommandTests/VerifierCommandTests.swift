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
            (plain + ["--metrics-listen", "0.0.0.0:0"], "loopback"),
            (plain + ["--webhook-ca-file", garbage], "garbage"),
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
            // Whoever asks beforehand hears the same, without what is logged until then.
            let check = try await verifier.run(arguments + ["--check-config"])
            #expect(check.status == ending.status && ending.errors.hasSuffix(check.errors), "\(arguments) \(check)")
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
        // As the guide does it: the address in the file, and the password in the one that PGPASSFILE names.
        let bare = database.replacing(":\(PostgreSQLServer.password)@", with: "@")
        #expect(bare != database)
        let text = "data: \(folder.path)/data\ndatabase: \(bare)\nissuer: https://v.example\naudience: [a]\n"
        let file = try folder.write(Array(text.utf8), "v.yaml")
        let password = try folder.write(Array("*:*:*:carnet:\(PostgreSQLServer.password)\n".utf8), "pgpass")
        for (mode, status) in [(0o600, 0), (0o640, 3)] as [(Int, Int32)] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: password)
            let made = try await verifier.run(
                ["bootstrap", "--config", file, "--recover"], environment: ["PGPASSFILE": password])
            #expect(made.status == status && !made.errors.contains(PostgreSQLServer.password), "\(made)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/data/carnet.sqlite"))
        let log = String(decoding: try folder.read("log"), as: UTF8.self)
        #expect(log.contains("postgresql://carnet@127.0.0.1") && !log.contains(PostgreSQLServer.password))
    }

    @Test("A check changes nothing, and says what is not there yet; a taken port is told with its number")
    func check() async throws {
        let plain = required + ["--plain-http", "--listen", "127.0.0.1:0"]
        let before = try await verifier.run(plain + ["--check-config"])
        #expect(before.status == 0 && before.text.contains("first start makes"), "\(before)")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/data"))
        let address = folder.path + "/address"
        let running = try verifier.start(plain + ["--address-file", address], log: folder.path + "/log")
        #expect(try await eventually { FileManager.default.fileExists(atPath: address) })
        let taken = String(decoding: try folder.read("address"), as: UTF8.self).filter { !$0.isNewline }
        let busy = try await verifier.run(required + ["--plain-http", "--listen", taken])
        #expect(busy.status == 1 && busy.errors.contains("Cannot listen on \(taken)"), "\(busy)")
        #expect(busy.errors.contains("--listen"), "\(busy)")
        // A part that fails ends the whole.
        let metrics = try await verifier.run(plain + ["--metrics-listen", taken])
        #expect(metrics.status == 1 && metrics.errors.contains("Cannot listen on \(taken)"), "\(metrics)")
        #expect(metrics.errors.contains("--metrics-listen"), "\(metrics)")
        #expect(running.stop() == 0)
        let after = try await verifier.run(plain + ["--check-config"])
        #expect(after.status == 0 && after.text.split(separator: "\n").count == 1, "\(after)")
        // A start would not forget what it cannot read.
        _ = try folder.write(Array("x".utf8), "data/ledger-checkpoint")
        let forgetful = try await verifier.run(plain + ["--check-config"])
        #expect(forgetful.status == 1 && forgetful.errors.contains("ledger-checkpoint"), "\(forgetful)")
        try FileManager.default.removeItem(atPath: folder.path + "/data/ledger-checkpoint")
        // Another issuer is not let in, unless that is what is wanted.
        let other = plain + ["--issuer", "https://other.example"]
        for words in [[], ["--check-config"]] {
            let ending = try await verifier.run(other + words)
            #expect(ending.status == 1 && ending.errors.contains("--change-issuer"), "\(ending)")
        }
        try FileManager.default.removeItem(atPath: folder.path + "/data/key-encryption-key")
        let keyless = try await verifier.run(plain + ["--check-config"])
        #expect(keyless.status == 0 && keyless.text.contains("key-encryption key was not tried"), "\(keyless)")
        _ = try folder.write(Array("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n".utf8), "data/key-encryption-key")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: folder.path + "/data/key-encryption-key")
        let wrong = try await verifier.run(plain + ["--check-config"])
        #expect(wrong.status == 1 && wrong.errors.contains("rewrap"), "\(wrong)")
    }

    @Test(
        "An operator who asks too often waits as long as the verifier says, and is told so; authors are policy-authors")
    func patience() async throws {
        let address = folder.path + "/address", token = folder.path + "/alice.token", carnet = Program("carnet")
        let running = try verifier.start(
            required + [
                "--plain-http", "--listen", "127.0.0.1:0", "--address-file", address, "--client-rate", "10",
                "--client-burst", "1",
            ], log: folder.path + "/log")
        #expect(try await eventually { FileManager.default.fileExists(atPath: address) })
        #expect(try await verifier.run(["bootstrap", "--data", folder.path + "/data", "--out", token]).status == 0)
        let place = String(decoding: try folder.read("address"), as: UTF8.self).filter { !$0.isNewline }
        let environment = [
            "CARNET_VERIFIER": "http://" + place, "CARNET_PLAIN_HTTP": "1", "CARNET_TOKEN_FILE": token,
        ]
        let made = try await carnet.run(
            ["api-token", "create", "--role", "author", "--name", "bob", "--out", folder.path + "/bob.token"],
            environment: environment)
        #expect(made.status == 0 && made.text.contains("policy-author"), "\(made)")
        let list = try await carnet.run(["api-token", "list"], environment: environment)
        #expect(list.status == 0 && list.text.contains("policy-author"), "\(list)")
        #expect(list.errors.contains("Waiting "), "\(list)")
        let authority = environment.merging(["CARNET_CA_FILE": "/no/such/file"]) { $1 }
        let untrusted = try await carnet.run(["api-token", "list"], environment: authority)
        #expect(untrusted.status == 2 && untrusted.errors.contains("/no/such/file"), "\(untrusted)")
        for lifetime in ["30", "5w", ""] {
            let wrong = try await carnet.run(
                ["api-token", "create", "--role", "viewer", "--name", "x", "--expires", lifetime],
                environment: environment)
            #expect(wrong.status == 2 && wrong.errors.contains("45s, 30m, 12h or 90d"), "\(wrong)")
        }
        #expect(running.stop() == 0)
    }
}

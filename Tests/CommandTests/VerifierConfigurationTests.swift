import Fixtures
import Foundation
import Testing

/// The settings of the verifier's program, and the example that lists them.
@Suite("carnet-verifier's configuration", .timeLimit(.minutes(5))) struct VerifierConfigurationTests {
    private let verifier = Program("carnet-verifier"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func example() throws -> [String] {
        ExampleSettings.lines(try Repository.text("Docs/Examples/verifier.yaml"))
    }

    /// The settings that the program knows: from its help, which ArgumentParser prints.
    private func flags() async throws -> Set<String> {
        let help = try await verifier.run(["help", "serve"]).text
        let others = [
            "config", "print-config", "check-config", "json", "version", "help", "change-issuer", "accept-ledger",
        ]
        let words = help.split(separator: "\n").compactMap { line -> String? in
            let line = line.drop { $0 == " " }
            return line.hasPrefix("--") ? line.dropFirst(2).split(separator: " ").first.map(String.init) : nil
        }
        let options = help.components(separatedBy: "USAGE:").dropFirst().joined()
        return Set(words.filter { options.contains("\n  --\($0) ") || options.contains("\n  --\($0)\n") })
            .subtracting(others)
    }

    @Test("The example can be used, and lists every setting once with its default")
    func exampleFile() async throws {
        let lines = try example(), keys = lines.compactMap(ExampleSettings.key)
        let file = try folder.write(Array(lines.joined(separator: "\n").utf8), "verifier.yaml")
        let known = try await ExampleSettings.printed(by: verifier, ["--config", file])
        #expect(keys.sorted() == known.keys.sorted())
        let flags = try await flags()
        #expect(flags == Set(known.keys))
        if let staged = try ConfigurationStage.text(lines.joined(separator: "\n"), in: folder) {
            let path = try folder.write(Array(staged.utf8), "staged.yaml")
            let check = try await verifier.run(["--config", path, "--check-config"])
            #expect(check.status == 0 && check.text.contains("can be used"), "\(check)")
        }
        // Each remark holds a value that the setting can have, one at a time.
        for (index, line) in lines.enumerated() where line.hasPrefix("# ") {
            guard let key = ExampleSettings.key(line) else { continue }
            var changed = lines
            changed[index] = String(line.dropFirst(2))
            let path = try folder.write(Array(changed.joined(separator: "\n").utf8), "changed.yaml")
            let setting = try await ExampleSettings.printed(by: verifier, ["--config", path])[key]
            #expect(setting?.from == "file", "\(key)")
            let usual = known[key]?.value
            let isDefault =
                [
                    "address-file", "policy", "database", "ledger-chain", "client-ca", "client-role", "trusted-proxy",
                    "webhook-allow", "webhook-ca-file",
                ].contains(key) || key.hasPrefix("key-")
            #expect(isDefault || setting?.value == usual, "\(key): the remark does not state the default")
        }
    }

    @Test("Flag, variable, file and default are told apart; a password is in none of the outputs")
    func origins() async throws {
        let file = try folder.write(
            Array("data: d\nissuer: https://f.example\naudience: [a]\ntoken-lifetime: 60\n".utf8), "v.yaml")
        let arguments = ["--config", file, "--listen", "127.0.0.1:1", "--print-config"]
        let environment = [
            "CARNET_VERIFIER_DATABASE": "postgresql://carnet:hidden@db.example/carnet?sslmode=verify-full",
            "CARNET_VERIFIER_ISSUER": "https://v.example",
        ]
        for more in [[], ["--json"]] {
            let ending = try await verifier.run(arguments + more, environment: environment)
            #expect(ending.status == 0 && !ending.text.contains("hidden"), "\(ending)")
            #expect(ending.text.contains("postgresql://carnet@db.example/carnet"))
            #expect(ending.text.contains("CARNET_VERIFIER_ISSUER") && ending.text.contains("https://v.example"))
            #expect(ending.text.contains("\(file):4") && !ending.text.contains("https://f.example"))
        }
    }

    @Test("A mistake ends with status 2 and says where it is")
    func mistakes() async throws {
        let good = "data: d\nissuer: https://f.example\naudience: [a]\nplain-http: true\n"
        for (text, words) in [
            (good + "tokn-lifetime: 60\n", [":5: tokn-lifetime", "did you mean token-lifetime?"]),
            (good + "log-level: loud\n", [":5: log-level", "notice"]),
            (good + "signing-key-days: 500\n", ["--signing-key-days is 1 to 400", "v.yaml:5"]),
            (good + "listen: nowhere\n", ["--listen", "v.yaml:5"]), ("data: d\n", ["--issuer"]),
            (good + "database: mysql://u:hidden@h/d\n", ["--database", "v.yaml:5"]),
            (good + "key-encryption-key: a\nkey-encryption-key-command: b\n", ["one way"]),
        ] {
            let file = try folder.write(Array(text.utf8), "v.yaml")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            let ending = try await verifier.run(["--config", file, "--check-config"])
            #expect(ending.status == 2 && ending.output.isEmpty && !ending.errors.contains("hidden"), "\(ending)")
            for word in words { #expect(ending.errors.contains(word), "\(ending)") }
        }
        let slip = try await verifier.run(["--check-config"], environment: ["CARNET_VERIFIER_ISUER": "x"])
        #expect(slip.status == 2 && slip.errors.contains("did you mean CARNET_VERIFIER_ISSUER?"), "\(slip)")
        let help = try await verifier.run(["--help"], environment: ["CARNET_VERIFIER_ISUER": "x"])
        #expect(help.status == 0)
    }

    private var startable: String {
        """
        data: \(folder.path)/data
        issuer: https://f.example
        audience: [https://vault.example]
        plain-http: true
        listen: 127.0.0.1:0
        drain-seconds: 0

        """
    }

    @Test("It starts from a file alone, and tells its supervisor when it is ready and when it stops")
    func start() async throws {
        let socket = try DatagramSocket(folder.path + "/notify")
        let file = try folder.write(Array(startable.utf8), "v.yaml")
        let running = try verifier.start(
            ["--config", file], log: folder.path + "/log", environment: ["NOTIFY_SOCKET": socket.path])
        #expect(socket.receive() == "READY=1")
        #expect(running.stop() == 0)
        #expect(socket.receive() == "STOPPING=1")
    }

    @Test("The group may read a key that systemd handed over, which is how its list of users shows, and no other key")
    func credential() async throws {
        let socket = try DatagramSocket(folder.path + "/notify")
        let file = try folder.write(Array(startable.utf8), "v.yaml")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/credentials/deeper", withIntermediateDirectories: true)
        func words(_ name: String, _ mode: Int) throws -> [String] {
            let path = try folder.write(Array("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n".utf8), name)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return ["--config", file, "--key-encryption-key", path]
        }
        let environment = ["CREDENTIALS_DIRECTORY": folder.path + "/credentials", "NOTIFY_SOCKET": socket.path]
        for (name, mode) in [
            ("credentials/key", 0o444), ("credentials/key", 0o460), ("credentials/deeper/key", 0o440), ("key", 0o440),
        ] {
            let ending = try await verifier.run(words(name, mode), environment: environment)
            #expect(ending.status == 1 && ending.errors.contains("others can read it"), "\(name) \(mode) \(ending)")
        }
        try FileManager.default.removeItem(atPath: folder.path + "/credentials/key")
        let running = try verifier.start(
            words("credentials/key", 0o440), log: folder.path + "/log", environment: environment)
        #expect(socket.receive() == "READY=1")
        #expect(running.stop() == 0)
    }
}

import CarnetAttester
import CarnetRelyingParty
import CarnetResult
import CarnetService
import CarnetTesting
import CarnetVerifier
import Fixtures
import Foundation
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// `carnet-agent run` as a program, on a real software TPM, with a real verifier that comes and goes.
@Suite("carnet-agent run", .serialized, .timeLimit(.minutes(6))) struct AgentDaemonTests {
    private let agent = Program("carnet-agent"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private var socket: String { folder.path + "/run/agent.sock" }
    private var passportFile: String { folder.path + "/passport.jwt" }

    /// What an operator runs.
    private func office(_ tpm: SoftwareTPM, port: Int) throws -> VerifierUnderTest {
        let anchors = folder.path + "/anchors"
        try FileManager.default.createDirectory(atPath: anchors, withIntermediateDirectories: true)
        for (index, file) in tpm.authorityFiles.enumerated() {
            try FileManager.default.copyItem(atPath: file, toPath: "\(anchors)/\(index).pem")
        }
        let policy = try folder.write(Array(GoodBoot.policy(for: GoodBoot.log()).utf8), "policy.yaml")
        return try VerifierUnderTest { configuration in
            configuration.trustAnchors = anchors
            configuration.policyFile = policy
            configuration.tokenLifetime = 30
            if let address = ListenAddress("127.0.0.1:\(port)") { configuration.address = address }
        }
    }

    private func arguments(_ tpm: SoftwareTPM, port: Int) throws -> [String] {
        let log = try folder.write(GoodBoot.log().bytes, "event-log.bin")
        return [
            "run", "--verifier", "http://127.0.0.1:\(port)", "--plain-http", "--name", "node-17", "--tcti", tpm.tcti,
            "--state", folder.path + "/state", "--event-log", log, "--no-runtime-log", "--no-ima-list", "--socket",
            socket, "--passport-file", passportFile, "--status-file", folder.path + "/status.json", "--watch-seconds",
            "1", "--minimum-seconds", "1",
        ]
    }

    private func call(_ method: String, _ path: String, _ body: String? = nil) async throws -> Program.Ending {
        let curl = Program(path: "/usr/bin/curl")
        let more = body.map { ["--json", $0] } ?? []
        return try await curl.run(
            ["-s", "-w", "\n%{http_code}", "--unix-socket", socket, "-X", method] + more + ["http://agent" + path])
    }

    private func get(_ path: String) async throws -> (status: Int, body: String) {
        let text = try await call("GET", path).text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    private func json(_ text: String) throws -> JSONNode {
        try JSONDocument(parsing: Array(text.utf8), maximumByteCount: 1 << 20).root
    }

    private func state() async throws -> String? {
        try? json(try await get("/v1/status").body)["state"]?.string
    }

    /// Asks for an attestation until the agent is where it should be.
    private func pushed(_ running: Program.Running, until condition: () async throws -> Bool) async throws -> Bool {
        var count = 0
        return try await eventually {
            if count % 40 == 0 { kill(running.identifier, SIGHUP) }
            count += 1
            return try await condition()
        }
    }

    @Test(
        "First start without a verifier, enrolment, approval, passport, tampering, reboot, a verifier that is away and back, the end",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")))
    func story() async throws {
        let tpm = try SoftwareTPM.copy(), port = try FreePort.take(), log = folder.path + "/log"
        try tpm.measure(GoodBoot.log())
        let office = try office(tpm, port: port)
        let running = try agent.start(try arguments(tpm, port: port), log: log)
        #expect(try await eventually { try await state() == "failing" })
        let early = try await get("/v1/passport")
        #expect(early.status == 503 && early.body.contains("/no-passport"))
        let carnet = Program("carnet")
        try await office.run { (client: ServiceClient) async throws -> Void in
            #expect(try await pushed(running) { try await state() == "pending-approval" })
            #expect(try await get("/v1/passport").status == 503)
            let approved = try await carnet.run(
                ["node", "approve", "node-17"],
                environment: [
                    "CARNET_VERIFIER": "http://127.0.0.1:\(port)", "CARNET_PLAIN_HTTP": "1",
                    "CARNET_TOKEN_FILE": office.administratorFile,
                ])
            #expect(approved.status == 0, "\(approved.errors)")
            #expect(try await pushed(running) { try await get("/v1/passport").status == 200 })
            let token = try folder.read("passport.jwt")
            #expect(String(decoding: token, as: UTF8.self) == (try await get("/v1/passport").body))

            let relyingParty = try await Office.relyingParty(client)
            let passport = try relyingParty.verify(token, at: Office.now)
            let proven = try await call(
                "POST", "/v1/proofs", #"{"method":"POST","url":"https://vault.example/disk?x=1","nonce":"abc-nonce"}"#)
            let answer = try json(String(proven.text.split(separator: "\n").first ?? ""))
            let proof = try #require(answer["proof"]?.string)
            let shown = try relyingParty.verify(Array((answer["passport"]?.string ?? "").utf8), at: Office.now)
            _ = passport
            #expect(throws: Never.self) {
                try relyingParty.prove(
                    shown, by: Array(proof.utf8), of: ProvenRequest(method: "POST", uri: "https://vault.example/disk"),
                    nonce: "abc-nonce", at: Office.now)
            }

            let status = try await agent.run(["status", "--socket", socket])
            #expect(status.status == 0 && status.text.contains("affirming"), "\(status)")
            #expect(try listeningPorts(of: running.identifier).isEmpty)
            let second = try await agent.run(try arguments(tpm, port: port))
            #expect(second.status == 1 && second.errors.contains("Another agent"), "\(second)")

            // It renews before the end, by itself.
            #expect(
                try await eventually {
                    let now = try await get("/v1/passport")
                    return now.status == 200 && now.body != String(decoding: token, as: UTF8.self)
                })

            let good = GoodBoot.log().measurements.count
            try tpm.measure(GoodBoot.tamperedLog(), from: good)
            _ = try folder.write(GoodBoot.tamperedLog().bytes, "event-log.bin")
            #expect(try await eventually { try await get("/v1/passport").status == 503 })
            #expect(!FileManager.default.fileExists(atPath: passportFile))
            let refused = try await agent.run(["status", "--json", "--socket", socket])
            #expect(refused.status == 1, "\(refused)")
            let findings = try json(refused.text)["findings"]?.elements ?? []
            #expect(findings.contains { $0["pcr"]?.integer == 4 }, "\(refused.text)")

            // A good boot again: the epoch and the PCRs are others, and nobody has to ask.
            _ = try folder.write(GoodBoot.log().bytes, "event-log.bin")
            try tpm.reboot()
            try tpm.measure(GoodBoot.log())
            #expect(try await pushed(running) { try await get("/v1/passport").status == 200 })
        }
        // The verifier is away: the passport lives out its time, and no longer.
        #expect(try await eventually { try await state() == "failing" })
        #expect(try await eventually { try await get("/v1/passport").status == 503 })
        #expect(!FileManager.default.fileExists(atPath: passportFile))
        try await office.run { (_: ServiceClient) async throws -> Void in
            #expect(try await pushed(running) { try await get("/v1/passport").status == 200 })
        }
        #expect(running.stop() == 0)
        for path in [socket, passportFile, folder.path + "/status.json"] {
            #expect(!FileManager.default.fileExists(atPath: path), "\(path)")
        }
        let lines = String(decoding: try folder.read("log"), as: UTF8.self)
        #expect(!lines.contains("eyJ") && !lines.contains("abc-nonce"))
        for line in lines.split(separator: "\n") { #expect(throws: Never.self) { try json(String(line)) } }
        withExtendedLifetime(tpm) {}
    }

    /// The ports of TCP and UDP on which a process receives from anywhere, out of what the kernel shows of it.
    private func listeningPorts(of process: Int32) throws -> [String] {
        let own = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)")
        }
        var found: [String] = []
        for table in ["tcp", "tcp6", "udp", "udp6"] {
            guard let text = try? String(contentsOfFile: "/proc/\(process)/net/\(table)", encoding: .utf8) else {
                continue
            }
            for line in text.split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                // 0A is LISTEN; a socket of UDP that is bound is 07.
                guard fields.count > 9, fields[3] == "0A" || fields[3] == "07" else { continue }
                if own.contains("socket:[\(fields[9])]") { found.append("\(table) \(fields[1])") }
            }
        }
        return found
    }

    @Test("A socket and a passport that a killed agent left are replaced")
    func killed() async throws {
        let tpm = try SoftwareTPM.copy(), words = try arguments(tpm, port: 1)
        let first = try agent.start(words, log: folder.path + "/log")
        #expect(try await eventually { try await state() != nil })
        first.kill()
        _ = try folder.write([1], "passport.jwt")
        #expect(FileManager.default.fileExists(atPath: socket))
        let next = try agent.start(words, log: folder.path + "/log")
        #expect(try await eventually { try await state() != nil })
        #expect(!FileManager.default.fileExists(atPath: passportFile))
        #expect(next.stop() == 0)
        let absent = try await agent.run(["status", "--socket", socket])
        #expect(absent.status == 3 && absent.errors.contains(socket))
        withExtendedLifetime(tpm) {}
    }

    @Test("systemd is told when the socket can be used, and when it ends; wrong settings are told with their place")
    func supervision() async throws {
        let tpm = try SoftwareTPM.copy(), notify = try DatagramSocket(folder.path + "/notify")
        let running = try agent.start(
            try arguments(tpm, port: 1), log: folder.path + "/log", environment: ["NOTIFY_SOCKET": notify.path])
        #expect(notify.receive() == "READY=1")
        #expect(try await state() != nil)
        #expect(running.stop() == 0)
        #expect(notify.receive() == "STOPPING=1")
        let file = try folder.write(
            Array("verifier: https://v.example\nwatch-seconds: 9999\nallow: [everything]\n".utf8), "agent.yaml")
        let wrong = try await agent.run(["run", "--config", file])
        #expect(wrong.status == 2 && wrong.output.isEmpty && wrong.errors.contains("everything"), "\(wrong)")
        let environment = ["CARNET_AGENT_WATCH": "1"]
        let unknown = try await agent.run(["run", "--verifier", "https://v.example"], environment: environment)
        #expect(unknown.status == 2 && unknown.errors.contains("CARNET_AGENT_WATCH"), "\(unknown)")
        // What is done once takes nothing from the environment.
        #expect(try await agent.run(["info", "--tcti", tpm.tcti], environment: environment).status == 0)
        withExtendedLifetime(tpm) {}
    }
}

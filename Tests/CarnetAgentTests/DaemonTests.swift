import CarnetAgent
import CarnetAttester
import CarnetEvidence
import CarnetService
import Fixtures
import Foundation
import Logging
import ServiceHarness
import ServiceLifecycle
import StrictEncoding
import Synchronization
import TPM2
import Testing

/// The daemon in this process, with a machine that says what a test wants, and real sockets.
@Suite("The agent's daemon", .timeLimit(.minutes(3))) struct DaemonTests {
    /// A running daemon.
    struct Running: Sendable {
        let machine: ScriptedMachine
        let folder: TemporaryDirectory
        let log: LogLines
        let daemon: AgentDaemon

        var socket: String { folder.path + "/run/agent.sock" }
        var passportFile: String { folder.path + "/passport.jwt" }

        func call(_ method: String, _ path: String, _ body: String? = nil) async throws -> (
            status: Int, json: JSONNode?
        ) {
            let answer = try await AgentConnection(socket: socket).send(method, path, json: body.map { Array($0.utf8) })
            return (answer.status, try? JSONDocument(parsing: answer.body, maximumByteCount: 1 << 20).root)
        }

        func fileExists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    }

    private func running(
        _ machine: ScriptedMachine, clock: KeeperClock = .system, rules: [PeerRule] = [],
        proofs: RateLimit = RateLimit(perMinute: 120, burst: 30),
        _ body: @Sendable (Running) async throws -> Void
    ) async throws {
        let folder = try TemporaryDirectory(), log = LogLines()
        var configuration = AgentConfiguration(
            machine: machine, node: "node-17", verifier: "https://verifier.example",
            stateDirectory: folder.path + "/state", socket: folder.path + "/run/agent.sock",
            rules: PeerRules(owner: geteuid(), rules), logger: log.logger(.trace))
        configuration.files = AgentFiles(
            passport: SharedFile(folder.path + "/passport.jwt", mode: 0o640),
            status: SharedFile(folder.path + "/status.json"))
        configuration.pace = RenewalPace(floor: 1, growthFloor: 2)
        configuration.watchSeconds = 1
        configuration.clock = clock
        configuration.rates = LocalRates(calls: .none, proofs: proofs)
        // What an agent left that was killed.
        _ = try folder.write([1], "passport.jwt")
        let (started, announce) = AsyncStream<Void>.makeStream()
        let daemon = try await AgentDaemon(configuration) {
            announce.yield()
            announce.finish()
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/passport.jwt"))
        let group = ServiceGroup(services: [daemon], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let serving = Task { try await group.run() }
        for await _ in started { break }
        let running = Running(machine: machine, folder: folder, log: log, daemon: daemon)
        let result: Result<Void, any Error>
        do { result = .success(try await body(running)) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await serving.value
        #expect(!running.fileExists(running.socket) && !running.fileExists(running.passportFile))
        try result.get()
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    @Test(
        "A passport is on the socket and in its file; a refusal takes it away at once and says why; then it comes back")
    func story() async throws {
        let good = try ScriptedMachine.outcome(issuedAt: Self.now, lifetime: 300)
        guard case .passport(let token, _, _, _) = good else { return }
        let machine = ScriptedMachine(isEnrolled: false, good)
        try await running(machine) { (agent: Running) async throws -> Void in
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            #expect(try agent.folder.read("passport.jwt") == token)
            let attributes = try FileManager.default.attributesOfItem(atPath: agent.passportFile)
            #expect(attributes[.posixPermissions] as? Int == 0o640)
            let status = try #require(try await agent.call("GET", "/v1/status").json)
            #expect(status["state"]?.string == "fresh" && status["subject"]?.string == "urn:carnet:node:test")
            #expect(status["clock_warning"] == nil && status["pcrs"]?.string == "sha256:0,10")
            let proof = try await agent.call(
                "POST", "/v1/proofs", #"{"method":"GET","url":"https://vault.example/x?y","nonce":"very-secret-nonce"}"#
            )
            #expect(proof.status == 200 && proof.json?["proof"]?.string == "proof.of.GET")
            #expect(proof.json?["passport"]?.string == String(decoding: token, as: UTF8.self))

            machine.say(.refused([ScriptedMachine.finding], mark: nil))
            await agent.daemon.attestNow()
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 503 })
            #expect(!agent.fileExists(agent.passportFile))
            let refused = try await agent.call("GET", "/v1/passport")
            #expect(refused.json?["type"]?.string?.hasSuffix("/no-passport") == true)
            #expect(refused.json?["findings"]?.elements?.first?["pcr"]?.integer == 4)
            #expect(
                try await agent.call("POST", "/v1/proofs", #"{"method":"GET","url":"https://v.example/"}"#).status
                    == 503)
            #expect(machine.proofTimes.count == 1)
            let file = try JSONDocument(parsing: agent.folder.read("status.json"), maximumByteCount: 65_536).root
            #expect(file["state"]?.string == "refused" && file["findings"]?.elements?.count == 1)

            // Another state: the machine is asked again before the pause is over.
            machine.say(good)
            machine.become(.init(epoch: .init(resetCount: 2, restartCount: 0), pcrs: machine.mark.pcrs))
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            let lines = agent.log.text.joined()
            #expect(!lines.contains("very-secret-nonce") && !lines.contains(String(decoding: token, as: UTF8.self)))
            #expect(lines.contains("pcr-digest") && lines.contains(#""level":"warning""#))
            #expect(!lines.contains(#""level":"error""#), "a refusal is no fault of the agent")
        }
    }

    @Test(
        "With a clock that is wrong by years passports are kept, proofs have the verifier's time, and the status warns")
    func wrongClock() async throws {
        let truth = Self.now, years: Int64 = 10 * 365 * 86_400
        for wrong in [truth - years, truth + years, 0] {
            var clock = KeeperClock.system
            clock.calendar = { wrong }
            let machine = ScriptedMachine(try ScriptedMachine.outcome(issuedAt: truth, lifetime: 4))
            try await running(machine, clock: clock) { (agent: Running) async throws -> Void in
                #expect(try await eventually { machine.attestationCount >= 3 })
                #expect(try await agent.call("GET", "/v1/passport").status == 200)
                let status = try #require(try await agent.call("GET", "/v1/status").json)
                #expect(status["clock_warning"]?.string?.contains("clock is") == true)
                #expect(status["clock_offset"]?.integer == truth - wrong)
                #expect(
                    try await agent.call("POST", "/v1/proofs", #"{"method":"GET","url":"https://v.example/"}"#).status
                        == 200)
                #expect(machine.proofTimes.allSatisfy { $0 >= truth && $0 <= truth + 5 })
            }
        }
    }

    @Test("When the verifier is away the passport is shown until it expires, and no longer")
    func away() async throws {
        let machine = ScriptedMachine(try ScriptedMachine.outcome(issuedAt: Self.now, lifetime: 15))
        try await running(machine) { (agent: Running) async throws -> Void in
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            machine.say(.failed(reason: "nobody answers", retryAfter: 60))
            await agent.daemon.attestNow()
            #expect(
                try await eventually { try await agent.call("GET", "/v1/status").json?["state"]?.string == "failing" })
            #expect(try await agent.call("GET", "/v1/passport").status == 200 && agent.fileExists(agent.passportFile))
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 503 })
            #expect(try await eventually { !agent.fileExists(agent.passportFile) })
            let status = try #require(try await agent.call("GET", "/v1/status").json)
            #expect(status["failure"]?.string == "nobody answers" && status["passport"] == nil)
        }
    }

    @Test("Growth and change are noticed; what the policy does not quote is not looked at")
    func watch() async throws {
        let machine = ScriptedMachine(try ScriptedMachine.outcome(issuedAt: Self.now, lifetime: 3600))
        try await running(machine) { _ in
            #expect(try await eventually { machine.attestationCount == 1 })
            try await Task.sleep(for: .seconds(3))
            #expect(machine.attestationCount == 1)
            for (index, pcrs) in Self.values.enumerated() {
                machine.become(.init(epoch: machine.mark.epoch, pcrs: [.sha256: pcrs]))
                #expect(try await eventually { machine.attestationCount == 2 + index })
            }
        }
    }

    private static let values: [[Int: [UInt8]]] = [[0: [1], 10: [3]], [0: [9], 10: [3]]]

    private static let strange =
        [
            ("POST", "/v1/proofs", "{}", 400), ("GET", "/v1/proofs", nil, 405), ("POST", "/v1/passport", "{}", 405),
            ("GET", "/", nil, 404), ("GET", "/v1/passport/", nil, 200), ("GET", "/metrics", nil, 404),
            ("POST", "/v1/proofs", String(repeating: " ", count: 8193), 413),
        ] as [(String, String, String?, Int)]

    private static let mistakes = [
        "", "[]", #"{"method":"GET"}"#, #"{"method":"get","url":"https://v.example/"}"#,
        #"{"method":"GET","url":"v.example"}"#, #"{"method":"GET","url":"file:///etc/passwd"}"#,
        #"{"method":"GET","url":"https:///x"}"#, #"{"method":"GET","url":"https://v.example/ x"}"#,
        #"{"method":"GET","url":"https://v.example/","more":1}"#,
        #"{"method":"GET","url":"https://v.example/","nonce":7}"#,
        #"{"method":"GET","method":"PUT","url":"https://v.example/"}"#,
    ]

    @Test(
        "Requests that are not as they should be are refused, and too many proofs are; nothing of them reaches the TPM")
    func refusals() async throws {
        let machine = ScriptedMachine(try ScriptedMachine.outcome(issuedAt: Self.now, lifetime: 300))
        try await running(machine, proofs: RateLimit(perMinute: 1, burst: 3)) { (agent: Running) async throws -> Void in
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            for (method, path, body, status) in Self.strange {
                #expect(try await agent.call(method, path, body).status == status, "\(method) \(path)")
            }
        }
        try await running(machine, proofs: RateLimit(perMinute: 1, burst: 12)) {
            (agent: Running) async throws -> Void in
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            for body in Self.mistakes {
                #expect(try await agent.call("POST", "/v1/proofs", body).status == 400, "\(body)")
            }
            #expect(machine.proofTimes.isEmpty)
            let good = #"{"method":"GET","url":"https://v.example/"}"#
            #expect(try await agent.call("POST", "/v1/proofs", good).status == 200)
            #expect(try await agent.call("POST", "/v1/proofs", good).status == 429)
            #expect(try await agent.call("GET", "/v1/passport").status == 200 && machine.proofTimes.count == 1)
        }
    }

    @Test(
        "The kernel says who calls: another user is let in as far as a rule goes, and only root's socket is closed to others"
    )
    func peers() async throws {
        guard geteuid() == 0, let setpriv = try Witness.find("setpriv"), let curl = try Witness.find("curl") else {
            return
        }
        let machine = ScriptedMachine(try ScriptedMachine.outcome(issuedAt: Self.now, lifetime: 300))
        @Sendable func code(_ agent: Running, _ path: String, user: Int, groups: String? = nil) async throws -> String {
            chmod(agent.folder.path, 0o755)
            let who = ["--reuid=\(user)", "--regid=\(user)", groups.map { "--groups=" + $0 } ?? "--clear-groups"]
            return try await Program(path: setpriv.path).run(
                who + [
                    "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", agent.socket,
                    "http://a" + path,
                ]
            ).text
        }
        _ = curl
        try await running(machine) { (agent: Running) async throws -> Void in
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            #expect(try await code(agent, "/v1/status", user: 0) == "200")
            #expect(try await code(agent, "/v1/status", user: 4321) == "000", "the socket is its owner's")
            chmod(agent.socket, 0o666)
            for path in ["/v1/status", "/v1/passport"] { #expect(try await code(agent, path, user: 4321) == "403") }
        }
        let rules = [PeerRule([.passport], .user(4321)), PeerRule([.status], .group(4444))]
        try await running(machine, rules: rules) { (agent: Running) async throws -> Void in
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            #expect(try await code(agent, "/v1/passport", user: 4321) == "200")
            #expect(try await code(agent, "/v1/status", user: 4321) == "403")
            #expect(try await code(agent, "/v1/passport", user: 4322) == "403")
            #expect(try await code(agent, "/v1/status", user: 4322, groups: "4443,4444,4445") == "200")
            #expect(try await code(agent, "/v1/status", user: 4444) == "200")
            #expect(try await code(agent, "/v1/status", user: 4322, groups: "4443") == "403")
        }
    }

    @Test("Proofs for disk keys in escrow are for root and the agent's own user, however the URL is written")
    func escrow() async throws {
        guard geteuid() == 0, let setpriv = try Witness.find("setpriv"), try Witness.find("curl") != nil else { return }
        let machine = ScriptedMachine(try ScriptedMachine.outcome(issuedAt: Self.now, lifetime: 300))
        @Sendable func code(_ agent: Running, _ url: String, user: Int) async throws -> String {
            chmod(agent.folder.path, 0o755)
            return try await Program(path: setpriv.path).run([
                "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "curl", "-s", "-o", "/dev/null", "-w",
                "%{http_code}", "--unix-socket", agent.socket, "-H", "Content-Type: application/json", "-d",
                #"{"method":"PUT","url":"\#(url)"}"#, "http://a/v1/proofs",
            ]).text
        }
        try await running(machine, rules: [PeerRule([.proofs], .user(4321))]) { (agent: Running) async throws -> Void in
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            let base = "https://broker.example"
            let escrow = [
                "/escrow/v1/volumes/root", "/ESCROW/v1/volumes/root", "/%65scrow/v1/volumes/root",
                "/escrow%2Fv1/volumes/root", "/%2565scrow/v1/volumes/root", "//escrow//v1/volumes/root",
                "/%65scrow/v1/volumes/data?%zz", "/under/escrow/v1/volumes/data/release",
            ]
            for path in escrow { #expect(try await code(agent, base + path, user: 4321) == "403", "\(path)") }
            #expect(machine.proofTimes.isEmpty)
            for path in ["/release/v1/secrets/a/b/c", "/x?full=100%25"] {
                #expect(try await code(agent, base + path, user: 4321) == "200", "\(path)")
            }
            #expect(try await code(agent, base + escrow[0], user: 0) == "200")
        }
    }

    @Test(
        "With a clock that is an hour ahead or behind, a passport is shown as long as it lives, and not for an hour more"
    )
    func hourWrong() async throws {
        for (wrong, word) in [(-3600, "behind"), (3600, "ahead of")] as [(Int64, String)] {
            var clock = KeeperClock.system
            clock.calendar = { Self.now + wrong }
            let machine = ScriptedMachine(try ScriptedMachine.outcome(issuedAt: Self.now, lifetime: 15))
            try await running(machine, clock: clock) { (agent: Running) async throws -> Void in
                #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
                let warning = try await agent.call("GET", "/v1/status").json?["clock_warning"]?.string ?? ""
                #expect(warning.contains(word) && warning.contains("Set the clock"), "\(warning)")
                machine.say(.failed(reason: "nobody answers", retryAfter: 60))
                #expect(try await agent.call("GET", "/v1/passport").status == 200, "\(wrong): believed dead")
                #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 503 })
                #expect(try await eventually { !agent.fileExists(agent.passportFile) })
            }
        }
    }

    @Test("A second agent with the same state or the same socket does not start, and the first goes on")
    func second() async throws {
        let machine = ScriptedMachine(try ScriptedMachine.outcome(issuedAt: Self.now, lifetime: 300))
        try await running(machine) { (agent: Running) async throws -> Void in
            #expect(try await eventually { try await agent.call("GET", "/v1/passport").status == 200 })
            for (state, socket) in [("state", "other/agent.sock"), ("other", "run/agent.sock")] {
                let configuration = AgentConfiguration(
                    machine: machine, node: "n", verifier: "v", stateDirectory: agent.folder.path + "/" + state,
                    socket: agent.folder.path + "/" + socket, rules: PeerRules(owner: 0), logger: agent.log.logger())
                let error = await #expect(throws: AgentStartError.self) { try await AgentDaemon(configuration) }
                #expect(error?.code == .taken)
            }
            #expect(try await agent.call("GET", "/v1/passport").status == 200)
            #expect(agent.fileExists(agent.passportFile))
        }
    }
}

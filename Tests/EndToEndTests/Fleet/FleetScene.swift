import Fixtures
import Foundation
import Testing

/// The machine, verifier and broker of `Docs/Guides/Fleet.md` after its sections (a) to (c), for what the page does not tell.
///
/// Every command is a shell's, with the page's own words: `$machine`, `$services` and the others are as on the page.
struct FleetScene: Sendable {
    let folder: String
    /// Through which the machine calls the broker.
    let proxy: KillingProxy
    private let preamble: String

    /// Does what the page does, and then `body`.
    static func enrolled(_ body: @Sendable (FleetScene) async throws -> Void) async throws {
        let verifier = try FreePort.take(), broker = try FreePort.take()
        let proxy = try KillingProxy(to: broker), folder = try TemporaryDirectory()
        defer { proxy.stop() }
        let programs = URL(filePath: Program("carnet").path).deletingLastPathComponent().path
        let sections = try GuidePage("Docs/Guides/Fleet.md").sections
        let lines = ["Before", "(a)", "(b)", "(c)"].flatMap { sections[$0] ?? [] }
        func here(_ command: String) -> String {
            // Machines come by the proxy, and as often as a test likes.
            command.replacing(
                "--url http://127.0.0.1:8553",
                with: "--machine-rate 0 --client-rate 0 --url http://127.0.0.1:\(proxy.port)"
            )
            .replacing("--trust-anchors anchors", with: "--client-rate 0 --node-rate 0 --trust-anchors anchors")
            .replacing("--broker $CARNET_BROKER", with: "--broker http://127.0.0.1:\(proxy.port)")
            .replacing("127.0.0.1:8443", with: "127.0.0.1:\(verifier)")
            .replacing("127.0.0.1:8553", with: "127.0.0.1:\(broker)")
        }
        let words = ["verifier()", "broker()", "ready()", "export ", "tpm=", "machine=", "attest=", "services="]
        let definitions = lines.map(\.command).filter { command in words.contains { command.hasPrefix($0) } }
        var preamble = """
            cd '\(folder.path)'
            export PATH='\(programs)':/usr/sbin:$PATH carnet='\(Repository.path(""))'

            """
        let start = preamble
        for definition in definitions { preamble += here(definition) + "\n" }
        let scene = FleetScene(folder: folder.path, proxy: proxy, preamble: preamble)
        var script = "set -e\n" + start
        for line in lines {
            script += line.status == 0 ? here(line.command) + "\n" : "{ \(here(line.command))\n} || true\n"
        }
        let result: Result<Void, any Error>
        do {
            let begun = try await Self.bash(script)
            #expect(begun.status == 0, "\(begun.text)\(begun.errors)")
            if begun.status == 0 { try await body(scene) }
            result = .success(())
        } catch { result = .failure(error) }
        _ = try await Self.bash(start + FleetShell.killingAll + " || true")
        #expect(
            try await eventually { try FleetShell.processes(in: folder.path + "/").isEmpty },
            "processes were left behind")
        try result.get()
    }

    /// Runs a command of the page's shell, errors beside what it prints.
    @discardableResult
    func run(_ command: String, status: Int32 = 0) async throws -> String {
        let ended = try await Self.bash(preamble + "exec 2>&1\n" + command)
        #expect(ended.status == status, "\(command)\n\(ended.text)")
        return ended.text
    }

    /// Makes a volume that opens with `install.key`, and lets the broker keep a key of the volume `data` as well.
    func format(_ file: String) async throws {
        try await run(
            """
            truncate -s 20M \(file); (umask 077; head -c 32 /dev/urandom > install.key)
            cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \(file) install.key
            sed 's|root|root, data|' disks.yaml > both.yaml && carnet secret policy put both.yaml
            """)
    }

    /// The exit status of a command, whatever it is.
    func status(_ command: String) async throws -> Int32 {
        try await Self.bash(preamble + "exec 2>&1\n" + command).status
    }

    /// A file's bytes.
    func bytes(_ file: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: folder + "/" + file))) }

    /// Ends a process whose number is in a file, at once.
    func kill(_ file: String) {
        let text = try? String(contentsOfFile: folder + "/" + file, encoding: .utf8)
        guard let process = text.flatMap({ Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }), process > 1
        else {
            return
        }
        Foundation.kill(process, SIGKILL)
    }

    /// Runs a command that is killed, or whose broker is, at one moment of one request.
    ///
    /// - Returns: Whether it came so far.
    func run(_ command: String, killing file: String, at number: Int, _ moment: KillingProxy.Moment) async throws
        -> Bool
    {
        proxy.watch { count, _, now in
            guard count == number, now == moment else { return false }
            kill(file)
            return true
        }
        _ = try await status("echo $$ > agent.pid; exec \(command)")
        let isReached = proxy.count >= number
        proxy.watch(nil)
        return isReached
    }

    private static func bash(_ script: String) async throws -> Program.Ending {
        try await Program(path: "/bin/bash").run(["-c", script])
    }
}

import Fixtures
import Foundation
import Testing

/// The stories of `Docs/Guides/Fleet.md`, as the page tells them: its lines are run by a shell, with the programs of this package, a software
/// TPM for each machine, the real verifier, the real broker and the real cryptsetup.
@Suite(
    "The guide about a fleet's life", .serialized,
    .enabled(if: TestVolume.isPossible && FleetShell.isPossible, "cryptsetup, curl, jq or openssl is not installed"),
    .timeLimit(.minutes(10)))
struct FleetGuideTests {
    enum Story: String, CaseIterable {
        case tampering = "(d)"
        case update = "(e)"
        case verifierAway = "(f)"
        case lost = "(g)"
        case anotherTPM = "(h)"
        case phases = "(i)"
        case everyBootAsks = "(j)"
    }

    @Test("Every section of the page is one of the stories")
    func sections() throws {
        let sections = try GuidePage("Docs/Guides/Fleet.md").sections
        #expect(Set(sections.keys) == Set(["Before", "(a)", "(b)", "(c)"] + Story.allCases.map(\.rawValue)))
        #expect(sections.values.allSatisfy { $0.count >= 3 })
    }

    @Test("Onboarding, a policy later, and the disk's key; then each story from there", arguments: Story.allCases)
    func story(_ story: Story) async throws {
        let sections = try GuidePage("Docs/Guides/Fleet.md").sections
        let lines = ["Before", "(a)", "(b)", "(c)", story.rawValue].flatMap { sections[$0] ?? [] }
        let ends = try await FleetShell().run(lines.map(\.command))
        #expect(ends.count == lines.count, "the shell ended before the page did")
        for (line, end) in zip(lines, ends) {
            #expect(end.status == line.status, "\(line.command)\n\(end.printed)")
            #expect(line.missing(in: end.printed) == nil, "\(line.command)\n\(end.printed)")
        }
    }

    @Test("What the page says is compared, and not only run")
    func comparison() {
        let line = GuidePage.Line(command: "x     # exit status 3", printed: ["…", "a … c", "d"])
        #expect(line.status == 3 && line.missing(in: "0\na b c\ne\nd") == nil)
        #expect(line.missing(in: "d\na b c") == "d")
        #expect(line.missing(in: "a b cc\nd") == "a … c")
        #expect(line.missing(in: "a c\nd") == "a … c")
    }
}

/// A shell in a folder of its own, which runs commands one after the other and stops what they started.
struct FleetShell {
    /// What a command printed, errors too, and how it ended.
    struct End {
        let printed: String
        let status: Int32
    }

    /// Whether what the page calls is installed.
    static var isPossible: Bool {
        ["curl", "jq", "openssl"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/" + $0) }
    }

    /// Ends what the page started: each number on its own, since swtpm ends its file's line with nothing.
    static let killingAll = "for file in *.pid */swtpm.pid; do kill -9 $(cat $file); done 2> /dev/null"

    /// The numbers of processes that have a folder in their command lines.
    static func processes(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            name.allSatisfy(\.isNumber)
                && (try? String(contentsOfFile: "/proc/\(name)/cmdline", encoding: .utf8))?.contains(folder) == true
        }
    }

    private let folder: TemporaryDirectory
    /// The ports of the page, and those that are free here.
    private let ports: [(page: String, here: String)]

    init() throws {
        folder = try TemporaryDirectory()
        ports = try ["127.0.0.1:8443", "127.0.0.1:8553"].map { ($0, "127.0.0.1:\(try FreePort.take())") }
    }

    /// Runs commands.
    ///
    /// - Parameter environment: Beside this process's own variables.
    func run(_ commands: [String], environment: [String: String] = [:]) async throws -> [End] {
        let programs = URL(filePath: Program("carnet").path).deletingLastPathComponent().path
        var script = """
            exec 2>&1 < /dev/null
            cd '\(folder.path)'
            export PATH='\(programs)':/usr/sbin:$PATH carnet='\(Repository.path(""))'
            trap '\(Self.killingAll)' EXIT

            """
        for command in commands { script += command + "\nprintf '\\036%s\\036' $?\n" }
        for port in ports { script = script.replacing(port.page, with: port.here) }
        let file = try folder.write(Array(script.utf8), "page.sh")
        let ended = try await Program(path: "/bin/bash").run([file], environment: environment)
        #expect(
            try await eventually { try Self.processes(in: folder.path + "/").isEmpty }, "processes were left behind")
        var text = ended.text
        for port in ports { text = text.replacing(port.here, with: port.page) }
        let parts = text.components(separatedBy: "\u{1E}")
        return stride(from: 0, to: parts.count - 1, by: 2).map { index in
            End(printed: parts[index], status: Int32(parts[index + 1]) ?? -1)
        }
    }
}

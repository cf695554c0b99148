import Foundation
import Synchronization

/// A PostgreSQL server of Debian's package, with its data in a temporary folder: a witness that the tests start and stop themselves.
///
/// It listens on a Unix socket and on a free port of loopback. Since `postgres` refuses to run as root, a test that is root runs it as the
/// user `postgres`. It ends with the test process, however that ends.
public final class PostgreSQLServer: Sendable {
    /// The role that owns the databases of tests. It is no superuser.
    public static let role = "carnet"
    /// What a test's log must not hold.
    public static let password = "not-a-secret-7f3a"

    private let binaries: String
    private let folder: String
    private let settings: [String]
    /// The TCP port on 127.0.0.1.
    public let port: Int
    private let running = Mutex<Running?>(nil)
    private let databaseCount = Atomic<Int>(0)

    private struct Running {
        let process: ChildProcess
        /// The server ends when this end of its standard input is closed.
        let lifeline: Int32
    }

    /// The server that tests share; `nil`, with a printed word, when PostgreSQL is not installed.
    ///
    /// - Throws: ``Witness/Missing`` when witnesses are required.
    public static func shared() throws -> PostgreSQLServer? { try common.get() }

    private static let common = Result { try PostgreSQLServer.install() }

    /// Whether tests can have a server; where witnesses are required, they run and fail without one.
    public static var isInstalled: Bool { Witness.areRequired || programFolder != nil }
    /// What a skipped test prints.
    public static let skipReason = "skipped: postgresql is not installed (make packages installs it)"

    /// Makes a new server and starts it; `nil` when PostgreSQL is not installed.
    ///
    /// - Parameter settings: Configuration parameters, as in `max_connections=5`.
    public static func install(_ settings: [String] = []) throws -> PostgreSQLServer? {
        guard let programFolder else {
            if Witness.areRequired { throw Witness.Missing(name: "postgresql") }
            print(skipReason)
            return nil
        }
        // Tests run side by side, each with a pool of its own; what they write is small and soon gone.
        let usual = [
            "max_connections=1000", "autovacuum=off", "checkpoint_timeout=1h", "max_wal_size=8GB",
            "full_page_writes=off", "shared_buffers=256MB",
        ]
        let server = try PostgreSQLServer(programFolder, usual + settings)
        try server.start()
        return server
    }

    private static let programFolder: String? = {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
        return versions.filter { $0 >= 15 }.sorted().reversed().map { "\(root)/\($0)/bin" }
            .first { FileManager.default.isExecutableFile(atPath: $0 + "/postgres") }
    }()

    private init(_ binaries: String, _ settings: [String]) throws {
        self.binaries = binaries
        self.settings = settings
        port = try FreePort.take()
        folder = try TemporaryFolder.make("pg")
        let passwordFile = folder + "/password"
        try Data(Self.password.utf8).write(to: URL(filePath: passwordFile))
        if geteuid() == 0 { _ = try Self.finished("/usr/bin/chown", ["-R", "postgres", folder]) }
        _ = try finished(
            "initdb",
            [
                "-D", folder + "/data", "-U", "postgres", "--encoding=UTF8", "--locale=C", "--no-sync",
                "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile", passwordFile,
            ])
    }

    deinit { stop() }

    /// Starts it and waits until it answers.
    public func start() throws {
        try running.withLock { running in
            guard running == nil else { return }
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw Failure(text: "no pipe") }
            _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
            let log = open(folder + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            defer { for end in [ends[0], log] { close(end) } }
            let options = (["listen_addresses=127.0.0.1", "unix_socket_directories=\(folder)"] + settings).flatMap {
                ["-c", $0]
            }
            let server = [binaries + "/postgres", "-D", folder + "/data", "-p", String(port)] + options
            // The shell stops the server when this process is gone, and never signals one that has ended.
            let script = """
                exec 3<&0; "$@" </dev/null 3<&- & server=$!
                (read -r _; kill -INT $server) <&3 & watch=$!
                wait $server; status=$?; kill $watch; exit $status
                """
            let command = Self.unprivileged(["/bin/sh", "-c", script, "postgres"] + server)
            let process = try ChildProcess(command[0], Array(command.dropFirst()), [ends[0], log, log])
            running = Running(process: process, lifeline: ends[1])
        }
        for _ in 0..<1200 {
            if (try? sql("SELECT 1")) != nil {
                _ = try sql(
                    """
                    DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '\(Self.role)') THEN
                    CREATE ROLE \(Self.role) LOGIN PASSWORD '\(Self.password)'; END IF; END $$
                    """)
                return
            }
            usleep(50_000)
        }
        throw Failure(text: (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "it did not start")
    }

    /// Stops it as an operator does (`pg_ctl stop -m fast`): sessions are ended, what was committed is kept.
    public func stop() { end { close($0.lifeline) } }

    /// Kills all of it at once, without a word.
    public func crash() {
        end { running in
            let first = (try? String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8))?
                .split(separator: "\n").first
            if let identifier = first.flatMap({ pid_t($0) }) { kill(identifier, SIGKILL) }
            close(running.lifeline)
        }
    }

    private func end(_ how: (Running) -> Void) {
        running.withLock { running in
            guard let present = running else { return }
            how(present)
            _ = present.process.wait()
            running = nil
        }
    }

    /// Makes an empty database that ``role`` owns, and returns its address.
    public func makeDatabase() throws -> String {
        let number = databaseCount.add(1, ordering: .relaxed).newValue
        let name = "test_\(number)"
        _ = try sql("CREATE DATABASE \(name) OWNER \(Self.role)")
        return address(name)
    }

    /// The address of a database, with the password in it.
    public func address(_ database: String) -> String {
        "postgresql://\(Self.role):\(Self.password)@127.0.0.1:\(port)/\(database)"
    }

    /// Removes a database, with sessions that are still in it.
    public func dropDatabase(_ address: String) {
        _ = try? sql("DROP DATABASE IF EXISTS \(Self.name(address)) WITH (FORCE)")
    }

    /// Runs statements as the superuser and returns what psql prints, unaligned and without headings.
    public func sql(_ statements: String, in address: String? = nil) throws -> String {
        try finished(
            "psql",
            [
                "-h", folder, "-p", String(port), "-U", "postgres", "-d", address.map(Self.name) ?? "postgres", "-X",
                "-q",
                "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements,
            ])
    }

    private static func name(_ address: String) -> String { address.split(separator: "/").last.map(String.init) ?? "" }

    private func finished(_ program: String, _ arguments: [String]) throws -> String {
        let command = Self.unprivileged([binaries + "/" + program] + arguments)
        return try Self.finished(command[0], Array(command.dropFirst()))
    }

    private static func finished(_ path: String, _ arguments: [String]) throws -> String {
        let ended = try ChildProcess.run(path, arguments, input: [], environment: ["LC_ALL": "C"])
        guard ended.status == 0 else { throw Failure(text: ended.errors) }
        return String(decoding: ended.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func unprivileged(_ command: [String]) -> [String] {
        guard geteuid() == 0 else { return command }
        return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] + command
    }

    /// A program that did not do what the tests need.
    public struct Failure: Error, CustomStringConvertible {
        let text: String
        public var description: String { "PostgreSQL: \(text)" }
    }
}

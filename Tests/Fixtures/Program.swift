import Foundation

/// A program, mostly one that this package builds, run as a user runs it.
public struct Program: Sendable {
    /// Where it lies.
    public let path: String

    /// The program of this name; it lies beside the test bundle.
    public init(_ name: String) {
        path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: name).path
    }

    /// A program of the system, by its path.
    public init(path: String) { self.path = path }

    /// What it printed, and how it ended.
    public struct Ending: Sendable {
        public let status: Int32
        public let output: [UInt8]
        public let errors: String
        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs it to its end on a thread of its own, so that a service in this process can answer meanwhile.
    public func run(
        _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:]
    ) async throws -> Ending {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try runHere(arguments, input, environment) })
            }
        }
    }

    private func runHere(_ arguments: [String], _ input: [UInt8], _ environment: [String: String]) throws -> Ending {
        let ended = try ChildProcess.run(path, arguments, input: input, environment: environment)
        return Ending(status: ended.status, output: ended.output, errors: ended.errors)
    }

    /// Starts it and lets it run; its output goes to a file.
    public func start(_ arguments: [String], log: String, environment: [String: String] = [:]) throws -> Running {
        let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { for descriptor in [file, nothing] where descriptor >= 0 { close(descriptor) } }
        guard file >= 0, nothing >= 0 else { throw CocoaError(.fileWriteUnknown) }
        return Running(try ChildProcess(path, arguments, [nothing, file, file], environment: environment))
    }

    /// Starts it and lets it run, and has it end when this process does, however that ends; its output goes to a file.
    public func startBound(_ arguments: [String], log: String, environment: [String: String] = [:]) throws -> Running {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw CocoaError(.fileReadUnknown) }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        let file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { for descriptor in [ends[0], file] where descriptor >= 0 { close(descriptor) } }
        // The shell becomes the program. Its child waits for the pipe's other end to close, and signals the program only if it still has
        // it for a parent: the number could be somebody else's by then.
        let script = """
            exec 3<&0
            (read -r _ <&3; read -r _ _ _ parent _ </proc/self/stat; [ "$parent" != $$ ] || kill -TERM $$) &
            exec "$@" </dev/null 3<&-
            """
        do {
            guard file >= 0 else { throw CocoaError(.fileWriteUnknown) }
            return Running(
                try ChildProcess(
                    "/bin/sh", ["-c", script, path, path] + arguments, [ends[0], file, file], environment: environment),
                lifeline: ends[1])
        } catch {
            close(ends[1])
            throw error
        }
    }

    /// A program that runs until it is told to stop, or until the value is gone.
    public final class Running: Sendable {
        private let process: ChildProcess
        /// What the program's end waits for, if it is bound to this process.
        private let lifeline: Int32?

        init(_ process: ChildProcess, lifeline: Int32? = nil) {
            self.process = process
            self.lifeline = lifeline
        }

        deinit {
            process.signal(SIGKILL)
            _ = process.wait()
            if let lifeline { close(lifeline) }
        }

        /// Its process.
        public var identifier: Int32 { process.identifier }

        /// Asks it to end, waits, and returns its exit status.
        public func stop() -> Int32 {
            process.signal(SIGTERM)
            return process.wait()
        }

        /// Ends it at once, whatever it is doing, and waits until it is gone.
        public func kill() {
            process.signal(SIGKILL)
            _ = process.wait()
        }
    }
}

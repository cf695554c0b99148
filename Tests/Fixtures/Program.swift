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

    /// A program that runs until it is told to stop, or until the value is gone.
    public final class Running: Sendable {
        private let process: ChildProcess

        init(_ process: ChildProcess) { self.process = process }

        deinit {
            process.signal(SIGKILL)
            _ = process.wait()
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

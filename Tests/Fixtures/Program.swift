public import Foundation

/// A program that this package builds, run as a user runs it.
public struct Program: Sendable {
    private let url: URL

    /// The program of this name; it lies beside the test bundle.
    public init(_ name: String) {
        url = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: name)
    }

    /// Where it lies.
    public var path: String { url.path }

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
        let process = Process(), standardInput = Pipe(), output = Pipe(), errors = Pipe()
        process.executableURL = url
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = errors
        try process.start()
        // Inputs of our tests stay below a pipe's capacity.
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input))
        try standardInput.fileHandleForWriting.close()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Ending(
            status: process.terminationStatus, output: [UInt8](bytes), errors: String(decoding: text, as: UTF8.self))
    }

    /// Starts it and lets it run; its output goes to a file.
    public func start(_ arguments: [String], log: String) throws -> Running {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let handle = try FileHandle(forWritingTo: URL(filePath: log))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.start()
        return Running(process)
    }

    /// A program that runs until it is told to stop, or until the value is gone.
    public final class Running: @unchecked Sendable {
        private let process: Process

        init(_ process: Process) { self.process = process }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

        /// Asks it to end, waits, and returns its exit status.
        public func stop() -> Int32 {
            process.terminate()
            process.waitUntilExit()
            return process.terminationStatus
        }
    }
}

extension Process {
    private static let starting = NSLock()

    /// Starts it, one at a time: Foundation's own `run` has crashed when several threads were in it at once.
    public func start() throws {
        try Self.starting.withLock { try run() }
    }
}

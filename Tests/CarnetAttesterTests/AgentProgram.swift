import Foundation

/// The built `carnet-agent`, run as a user runs it.
struct AgentProgram: Sendable {
    /// What it printed, and how it ended.
    struct Ending: Sendable {
        let status: Int32
        let output: [UInt8]
        let errors: String
        var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// The program lies beside the test bundle.
    private static var url: URL {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "carnet-agent")
    }

    /// Runs it to its end on a thread of its own, so that a service in this process can answer meanwhile.
    static func run(_ arguments: [String]) async throws -> Ending {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try runHere(arguments) }) }
        }
    }

    private static func runHere(_ arguments: [String]) throws -> Ending {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        let output = Pipe(), errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Ending(
            status: process.terminationStatus, output: [UInt8](bytes), errors: String(decoding: text, as: UTF8.self))
    }
}

internal import Foundation

/// A program that is run to its end.
struct Program {
    let path: String

    /// The program of this name in the usual places.
    static func find(_ name: String) throws(SoftwareTPMError) -> Program {
        for folder in ["/usr/bin", "/usr/local/bin", "/bin"]
        where FileManager.default.isExecutableFile(atPath: folder + "/" + name) {
            return Program(path: folder + "/" + name)
        }
        throw SoftwareTPMError("\(name) is not installed; apt-get install swtpm swtpm-tools")
    }

    /// Runs the program and requires that it ends well.
    func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw SoftwareTPMError("\(path) ended with \(process.terminationStatus): \(text)")
        }
    }
}

import ArgumentParser
import CarnetAttester
import CarnetEvidence
import Foundation

/// Which TPM, and where the agent remembers its keys.
struct TPMOptions: ParsableArguments {
    @Option(help: "The TPM, as a TCTI string: device:/dev/tpmrm0, swtpm:path=SOCKET, swtpm:host=127.0.0.1,port=2321.")
    var tcti = TPMDevice.standardDevice

    @Option(help: "The directory of the agent's state. It holds nothing secret.")
    var state = "/var/lib/carnet-agent"

    func device() throws -> TPMDevice { try TPMDevice(tcti) }

    /// The state of an enrolled machine.
    func enrolledState() throws -> AttesterState {
        guard let state = try AttesterState(in: state) else {
            throw AttesterState.Unusable.missing(self.state)
        }
        return state
    }
}

extension AttesterState.Unusable {
    static func missing(_ directory: String) -> any Error {
        ValidationError(
            "There is no state in \(directory): enrol first with `carnet-agent enrol`, or name the directory with --state."
        )
    }
}

/// Which verifier.
struct VerifierOptions: ParsableArguments {
    @Option(help: "The verifier's URL, https://…")
    var verifier: String

    @Option(name: .customLong("ca-file"), help: "A PEM file of authorities to trust instead of the system's.")
    var authorityFile: String?

    @Flag(help: "Allow http:// to a loopback address.")
    var plainHTTP = false

    func connection() throws -> VerifierConnection {
        try VerifierConnection(verifier, allowPlainHTTP: plainHTTP, authorityFile: authorityFile)
    }
}

/// Where the firmware's log is.
struct EventLogOptions: ParsableArguments {
    static let standardFile = "/sys/kernel/security/tpm0/binary_bios_measurements"

    @Option(help: "The firmware's event log; by default \(standardFile), if it is there.")
    var eventLog: String?

    @Flag(help: "Send no event log.")
    var noEventLog = false

    func read() throws -> [UInt8]? {
        guard !noEventLog else { return nil }
        let path = eventLog ?? Self.standardFile
        guard eventLog != nil || FileManager.default.isReadableFile(atPath: path) else { return nil }
        return try File.read(path, maximum: 1 << 20)
    }
}

enum File {
    /// A bounded file; `-` is standard input.
    static func read(_ path: String, maximum: Int = 1 << 20) throws -> [UInt8] {
        let handle = path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: path))
        let data = try handle.read(upToCount: maximum + 1) ?? Data()
        guard data.count <= maximum else { throw ValidationError("\(path) has more than \(maximum) bytes.") }
        return [UInt8](data)
    }

    /// A token's bytes, white space around them removed.
    static func readToken(_ path: String) throws -> [UInt8] {
        let text = String(decoding: try read(path, maximum: 1 << 17), as: UTF8.self)
        return Array(text.trimmingCharacters(in: .whitespacesAndNewlines).utf8)
    }

    /// Writes to a private file, or to standard output.
    static func write(_ bytes: [UInt8], to path: String?) throws {
        if let path, path != "-" {
            try PrivateFile.write(bytes, to: path)
        } else {
            FileHandle.standardOutput.write(Data(bytes))
        }
    }
}

/// Prints a finding as people read it.
func describe(_ finding: Finding) -> String {
    var lines = [
        "  \(finding.family == .policyViolation ? "policy" : "evidence"): \(finding.description) [\(finding.rule)]"
    ]
    if let expected = finding.expected { lines.append("    expected: \(expected)") }
    if let found = finding.found { lines.append("    found:    \(found)") }
    lines.append("    do: \(finding.remedy)")
    return lines.joined(separator: "\n")
}

func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import Foundation

struct DiskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disk", abstract: "LUKS2 volumes whose key the TPM and a broker keep.",
        subcommands: [DiskEnrolCommand.self, DiskUnlockCommand.self, DiskStatusCommand.self])
}

struct DiskStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what a volume's header says, and whether the TPM would open it now.",
        discussion: """
            Examples:
              carnet-agent disk status /dev/vda3
              carnet-agent disk status /dev/vda3 --json

            Without a TPM the header is shown, and not whether PCRs changed.
            """)

    @Option(help: "The TPM, as a TCTI string.")
    var tcti = TPMDevice.standardDevice

    @Argument(help: "The volume: a block device or a file.")
    var volume: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let volume = try VolumeFile(volume)
        // The header is worth seeing where the TPM is not.
        let status = try DiskStatus(volume, device: try? TPMDevice(tcti))
        if json { return try Output.json(status) }
        Output.line(
            "LUKS2 volume \(status.uuid), \(status.cipher), keyslots \(Self.list(status.keyslots.map(String.init)))")
        for token in status.tokens {
            let time = token.sealedAt.formatted(.iso8601)
            let now =
                token.pcrs == nil && token.hasPIN
                ? "opens in any state"
                : token.refusal.map { "not used by itself: \($0)" } ?? token.changed.map {
                    $0.isEmpty ? "opens now" : "does not open now: changed \(Self.list($0))"
                }
                    ?? "no TPM to ask"
            Output.line(
                "  token \(token.number): \(token.volume), sealed \(time) to \(Self.key(token)) (\(now))"
            )
        }
        if status.tokens.isEmpty { Output.line("  not enrolled: carnet-agent disk enrol") }
        if !status.otherTokens.isEmpty { Output.line("  others' tokens: \(Self.list(status.otherTokens))") }
    }

    private static func key(_ token: DiskStatus.Token) -> String {
        ([token.pcrs].compactMap(\.self) + (token.hasPIN ? ["a PIN"] : [])).joined(separator: " or ")
    }

    private static func list(_ words: [String]) -> String { words.isEmpty ? "none" : words.joined(separator: ", ") }
}

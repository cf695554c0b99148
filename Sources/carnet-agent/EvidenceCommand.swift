import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import StrictEncoding

struct EvidenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Gather evidence for a relying party's own nonce (background check).",
        discussion: """
            Example:
              carnet-agent evidence --requirements requirements.json --out evidence.json

            The requirements are what `carnet background-check requirements` prints: a nonce, the PCRs to quote and the logs to send.
            """)

    @OptionGroup var tpm: TPMOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var keys: BindingOptions

    @Option(help: "The relying party's requirements as JSON; - is standard input.")
    var requirements: String

    @Option(help: "The file for the evidence; by default standard output.")
    var out: String?

    func run() throws {
        let root: JSONNode
        do {
            root = try JSONDocument(
                parsing: Input.bytes(requirements, maximum: 65_536), maximumByteCount: 65_536, maximumDepth: 6
            ).root
        } catch let error as JSONError {
            throw Failure(.unreadable, "\(requirements) is not JSON: \(error).")
        }
        guard let nonce = root["nonce"]?.string.flatMap({ Base64URL.decode($0) }), (16...64).contains(nonce.count)
        else {
            throw Failure(.unreadable, "\(requirements): nonce is not base64url of 16 to 64 bytes.")
        }
        guard let selection = root["pcr_selection"].flatMap(AttesterClient.selection) else {
            throw Failure(.unreadable, "\(requirements): pcr_selection is not a list of banks with PCRs.")
        }
        let wanted: EvidenceRequirements
        do {
            wanted = try EvidenceRequirements(root)
        } catch {
            throw Failure(.unreadable, "\(requirements): \(error).")
        }
        let device = try tpm.device()
        let collector = EvidenceCollector(
            device: device, state: try tpm.enrolledState(), binding: keys.binding)
        let evidence = try collector.collect(
            nonce: nonce, selection: selection, stateSelection: try AttesterClient.stateSelection(root, keys.binding),
            requirements: wanted, logs: logs.sources)
        try Output.bytes(evidence.bytes + [0x0A], to: out)
    }
}

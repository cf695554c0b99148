import ArgumentParser
import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import Cryptography
import StrictEncoding
import TPM2

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Show this machine's TPM: maker, firmware, endorsement keys and their certificates.",
        discussion: """
            Example:
              carnet-agent info --tcti swtpm:path=/run/swtpm.sock

            The SHA-256 of an endorsement key is what an operator compares before approving, or registers beforehand with
            `carnet node register --ek-sha256`.
            """)

    @OptionGroup var tpm: TPMOptions

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        struct Key: Encodable {
            let sha256: String
            let certificate: String?
        }
        let device: String
        let manufacturer: String
        let firmware: String
        let endorsementKeys: [String: Key]
        let subject: String?
        let name: String?
    }

    func run() throws {
        let device = try tpm.device()
        let identity = try device.identity()
        var keys: [String: Report.Key] = [:]
        for (label, template) in [("rsa", TPM.EndorsementKeyTemplate.rsa2048), ("ecc", .eccP256)] {
            let key = try device.endorsementKey(template)
            guard let checked = try? EndorsementKey(checking: key.publicArea) else { continue }
            let certificate = try device.endorsementCertificate(template)
            keys[label] = .init(
                sha256: Hexadecimal.encode(checked.fingerprint),
                certificate: certificate.map { "issued by \($0.issuer)" })
        }
        let state = try AttesterState(in: tpm.state)
        let report = Report(
            device: device.name, manufacturer: identity.manufacturer, firmware: identity.firmware,
            endorsementKeys: keys,
            subject: state?.subject, name: state?.nodeName)
        if json { return try Output.json(report) }
        Output.line("TPM at \(report.device): maker \(report.manufacturer), firmware \(report.firmware)")
        for (label, key) in keys.sorted(by: { $0.key > $1.key }) {
            Output.line("  \(label) endorsement key \(key.sha256), \(key.certificate ?? "no certificate")")
        }
        Output.line(report.subject.map { "Enrolled as \(report.name ?? "?"), \($0)" } ?? "Not enrolled")
    }
}

import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import CarnetResult
import Cryptography
import Foundation

struct DiskEnrolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol",
        abstract: "Give a LUKS2 volume a key that nobody knows, kept by the TPM and by a broker.",
        discussion: """
            Examples:
              carnet-agent disk enrol /dev/vda3 --broker https://broker.example --verifier https://verifier.example --key-file install.key
              carnet-agent disk enrol /dev/vda3 --broker https://broker.example --verifier https://verifier.example \\
                --key-file install.key --remove-key-file install.key --recovery-key operator.pub.pem --pin-file pin

            The key is made here, escrowed with the broker under a wrap that only this TPM opens, added to the volume, and sealed to the
            machine's state in the volume's header. Each copy is tried before a key is removed. When it is interrupted, run it again.
            A key that an earlier run escrowed is kept, and needs no --key-file. One that is only in the header is not: somebody may know it.
            What --pcrs names goes into escrow with the key, and counts for every later sealing until --pcrs names others. A PIN that was set
            stays until --pin-file sets another.
            """)

    @OptionGroup var tpm: TPMOptions
    @OptionGroup var broker: BrokerOptions
    @OptionGroup var pin: PINOptions

    @Argument(help: "The volume: a block device or a file with a LUKS2 header.")
    var volume: String

    @Option(help: "Under which name the broker keeps the volume's key.")
    var name = "root"

    @Option(
        help:
            "The PCRs to seal to, now and by `disk unlock` later; by default those that were named before, else those of the verifier's policy."
    )
    var pcrs: String?

    @Option(help: "The file of a key that opens the volume now.")
    var keyFile: String?

    @Option(
        help:
            "The file of a key whose keyslot is removed at the end; may be given more than once. One that opens none is an error before anything is changed."
    )
    var removeKeyFile: [String] = []

    @Option(help: "An operator's public key, P-256 in PEM: the broker gets a copy of the key that its holder opens.")
    var recoveryKey: String?

    @Flag(
        help:
            "Take the place of another volume's key that the broker keeps under this name. That volume is lost with its TPM's state. Without --recovery-key no operator can recover this one."
    )
    var replaceEscrow = false

    @Flag(help: "Print JSON.")
    var json = false

    /// What is printed as JSON.
    private struct Enrolled: Encodable {
        let uuid, name, broker, pcrs: String
        let keyslot: Int?
        let removedKeyslots, foreignKeyslots: [Int]
        let losesPIN: Bool
    }

    func run() async throws {
        guard let urls = try broker.urls() else { throw ValidationError("Give --broker and --verifier.") }
        guard DiskToken.isVolumeName(name) else {
            throw ValidationError("--name has 1 to 64 letters, digits, dots, hyphens and underscores.")
        }
        let chosen = try pcrs.map(PCRs.selection), pin = try pin.pin()
        let existing = try keyFile.map { try Input.secret($0, maximum: 65_536) }
        let unwanted = try removeKeyFile.map { try Input.secret($0, maximum: 65_536) }
        let recovery = try recoveryKey.map { path in
            do { return try JSONWebKey(OperatorKey.read(path)) } catch is JOSEError {
                throw Failure(.unreadable, "\(path) is no P-256 key.")
            }
        }
        let path = volume, volume = try VolumeFile(path), header = try volume.header(), device = try tpm.device()
        let outcome = try await broker.withClient(tpm, device, urls) { client, passport in
            guard let selection = chosen ?? passport.state?.selection else {
                throw ValidationError("The passport states no PCRs: name those to seal to with --pcrs.")
            }
            var settings = DiskEnrolment.Settings(name: name, existingKey: existing, selection: selection)
            settings.chosen = chosen
            settings.keysToRemove = unwanted
            settings.namesOfKeysToRemove = removeKeyFile
            settings.pin = pin ?? []
            settings.recoveryKey = recovery
            settings.attested = passport.state
            settings.replacesEscrow = replaceEscrow
            let enrolment = try DiskEnrolment(
                volume, device: device, broker: client, settings: settings, now: Int64(Date().timeIntervalSince1970))
            return try await enrolment.run()
        }
        if json {
            return try Output.json(
                Enrolled(
                    uuid: header.uuid, name: name, broker: urls.broker, pcrs: outcome.selection.text,
                    keyslot: outcome.keyslot, removedKeyslots: outcome.removedKeyslots,
                    foreignKeyslots: outcome.foreignKeyslots, losesPIN: outcome.losesPIN))
        }
        Output.line(
            "Enrolled \(header.uuid) as \(name): sealed to this machine's state, and escrowed with \(urls.broker)")
        for slot in outcome.removedKeyslots { Output.line("Keyslot \(slot) removed") }
        if outcome.losesPIN {
            Output.line("The PIN that was set is gone: it was for another key. Set it again with --pin-file")
        }
        if replaceEscrow, recovery == nil {
            Output.line(
                "The escrow has no copy for operators: without this TPM the volume is lost. Run it again with --recovery-key to add one"
            )
        }
        if let slot = outcome.foreignKeyslots.first {
            let slots = outcome.foreignKeyslots.map(String.init).joined(separator: ", ")
            Output.line(
                "Tokens of another key were removed; they named keyslots that still open it: \(slots). If nobody you know needs them: cryptsetup luksKillSlot \(path) \(slot)"
            )
        }
        if !TokenDemand.measuresBoot(outcome.selection) {
            Output.line("No PCR of 0 to 7 is among them: unlock it with --pcrs \(outcome.selection.text)")
        }
    }
}

import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetEvidence
import CarnetResult
import Foundation

struct DiskUnlockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock",
        abstract: "Open a volume: by the TPM if the state is unchanged, else by attesting to a broker.",
        discussion: """
            Examples:
              carnet-agent disk unlock /dev/vda3 --open-as root --broker https://broker.example --verifier https://verifier.example
              carnet-agent disk unlock /dev/vda3 --open-as root --offline
              carnet-agent disk unlock /dev/vda3 --open-as root --offline --measure
              carnet-agent disk unlock /dev/vda3 --test-passphrase --pin-file pin

            The header is checked first, and cryptsetup uses a copy of what was checked. A key that came from the broker is sealed again to
            the state of now. The PCRs for that are --pcrs, else those that `disk enrol --pcrs` named, else those of the verifier's policy;
            the header's word is not taken. A key that the TPM sealed to no PCR of 0 to 7 is used only where --pcrs names its PCRs. The PIN is
            tried once. With --measure PCR 15 says which volume it was.
            """)

    @OptionGroup var tpm: TPMOptions
    @OptionGroup var broker: BrokerOptions
    @OptionGroup var pin: PINOptions

    @Argument(help: "The volume: a block device or a file with a LUKS2 header.")
    var volume: String

    @Option(help: "Under which name the broker keeps the volume's key; by default the header's.")
    var name: String?

    @Option(
        help:
            "The PCRs to which the key must be sealed, and is sealed again; by default one at least of 0 to 7, and those of the enrolment or the verifier's policy."
    )
    var pcrs: String?

    @Flag(help: "Only see whether it would open.")
    var testPassphrase = false

    @Flag(help: "Ask no broker.")
    var offline = false

    @Option(help: "Open it as /dev/mapper/NAME.")
    var openAs: String?

    @Flag(
        help: "Before it is opened, extend PCR 15 with what tells the volume's own key, and write it to systemd's log.")
    var measure = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let purpose = try purpose(), given = try broker.urls(), urls = offline ? nil : given, pin = try pin.pin()
        let chosen = try pcrs.map(PCRs.selection)
        guard name.map(DiskToken.isVolumeName) ?? true else {
            throw ValidationError("--name has 1 to 64 letters, digits, dots, hyphens and underscores.")
        }
        let device = try tpm.device(), volume = try VolumeFile(volume)
        let unlocking = try DiskUnlocking(volume, device: device)
        let here = try unlocking.openHere(
            .test, pin: pin, demand: TokenDemand(chosen), now: Int64(Date().timeIntervalSince1970))
        if let opened = here.opened {
            try finish(unlocking, opened, purpose)
            let more = opened.way == .pin ? ". It is still sealed to the state before: enrol again to change that" : ""
            return try say(unlocking, opened, more)
        }
        let reasons = here.reasons.joined(separator: "\n")
        guard let urls else {
            var next = [(offline ? "leave --offline out" : nil), given == nil ? "give --broker and --verifier" : nil]
                .compactMap(\.self).joined(separator: " and ")
            if unlocking.hasPIN, pin == nil { next += ", or give the PIN with --pin-file" }
            throw Failure(
                here.isTemporary ? .unreachable : .refused,
                reasons + "\nNo broker was asked\(offline ? ", because of --offline" : ""): \(next).")
        }
        Output.aside(reasons)
        let name = name ?? unlocking.name ?? "root"
        try await broker.withClient(tpm, device, urls) { client, passport in
            let opened = try await unlocking.open(.test, from: client, name: name)
            guard let selection = chosen ?? opened.selection ?? passport.state?.selection else {
                try finish(unlocking, opened, purpose)
                return try say(
                    unlocking, opened, ". It was not sealed again: the passport states no PCRs; name them with --pcrs")
            }
            let now = Int64(Date().timeIntervalSince1970)
            // Before the volume is open and the boot goes on to another state. What fails is told, and does not stop the boot.
            let failure = Self.failure {
                try unlocking.reseal(
                    opened, name: name, selection: selection, attested: passport.state, now: now)
            }
            try finish(unlocking, opened, purpose)
            if let failure { return try say(unlocking, opened, ". It could not be sealed again: \(failure)") }
            var told = ""
            do {
                try await unlocking.report(selection, to: client, name: name, now: now)
            } catch { told = ". The broker could not be told: \(error)" }
            try say(unlocking, opened, ", and sealed again to the state of now" + told, sealedTo: selection.text)
        }
    }

    /// Opens the volume with a key that was tried; where it cannot be measured, it stays shut.
    private func finish(
        _ unlocking: DiskUnlocking, _ opened: DiskUnlocking.Opened, _ purpose: DiskUnlocking.Purpose
    ) throws {
        if measure {
            let log = broker.logs.runtimeLog ?? LogSources.standardRuntimeLog
            if try !unlocking.measure(log: log) {
                Output.aside("PCR 15 was extended, and no verifier can explain it: an earlier writer of \(log) died.")
            }
        }
        try unlocking.finish(opened, purpose)
    }

    private static func failure(_ body: () throws -> Void) -> (any Error)? {
        do {
            try body()
            return nil
        } catch { return error }
    }

    private func purpose() throws -> DiskUnlocking.Purpose {
        guard !(measure && testPassphrase) else {
            throw ValidationError("--measure is for a volume that is opened, and --test-passphrase opens none.")
        }
        guard !measure || broker.logs.runtimeLog != "-" else {
            throw ValidationError("--measure writes to systemd's log: --runtime-log names its file.")
        }
        switch (testPassphrase, openAs) {
        case (true, nil): return .test
        case (false, let name?):
            guard DiskToken.isVolumeName(name), !name.hasPrefix("-"), name.contains(where: { $0 != "." }) else {
                throw ValidationError("--open-as has 1 to 64 letters, digits, dots, hyphens and underscores.")
            }
            return .open(as: name)
        default: throw ValidationError("Give --open-as NAME, or --test-passphrase.")
        }
    }

    /// What is printed as JSON.
    private struct Unlocked: Encodable {
        let way: DiskUnlocking.Way
        let keyslot: Int
        let resealed: Bool
        /// To which PCRs it was sealed again.
        let pcrs: String?
        let opened: Bool
    }

    private func say(
        _ unlocking: DiskUnlocking, _ opened: DiskUnlocking.Opened, _ more: String, sealedTo pcrs: String? = nil
    ) throws {
        if json {
            try Output.json(
                Unlocked(
                    way: opened.way, keyslot: opened.keyslot, resealed: pcrs != nil, pcrs: pcrs,
                    opened: !testPassphrase))
            if pcrs == nil, !more.isEmpty { Output.aside(String(more.drop { ",. ".contains($0) }) + ".") }
            return
        }
        let way =
            switch opened.way {
            case .sealed: "the TPM: the state is the one to which it was sealed"
            case .pin: "the PIN"
            case .escrow:
                unlocking.hasToken
                    ? "the broker: the TPM's copy did not open it, and the state was attested"
                    : "the broker: the header had no token of Carnet, and the state was attested"
            }
        let name = openAs.map { " as \($0)" } ?? ""
        Output.line("\(testPassphrase ? "Would open" : "Opened\(name)") by \(way)\(more)")
    }
}

import ArgumentParser
import CarnetAttester
import CarnetCommandLine
import CarnetResult
import Cryptography
import Foundation
import StrictEncoding

struct EscrowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "escrow", abstract: "Disk keys that machines keep at a broker, wrapped by their TPMs.",
        discussion: """
            Examples:
              carnet escrow list
              carnet escrow destroy urn:carnet:node:… --reason "node lost"
              carnet escrow recover urn:carnet:node:… root --key recovery.key --reason "board replaced" --out disk.key

            Neither the broker nor a machine alone opens a disk by what is kept here.
            """,
        subcommands: [
            EscrowListCommand.self, EscrowDestroyCommand.self, EscrowRecoverCommand.self,
        ])
}

/// A volume in escrow, as lists show it.
struct EscrowEntry: Encodable {
    let subject, volume, escrowedAt: String
    let releasedAt, sealedPcrs, sealedAt: String?
    let versions: [Int64]
    let recoverable: Bool

    init(_ node: JSONNode) {
        subject = node["subject"]?.string ?? ""
        volume = node["volume"]?.string ?? ""
        escrowedAt = node["escrowed_at"]?.string ?? ""
        releasedAt = node["released_at"]?.string
        sealedPcrs = node["sealed_pcrs"]?.string
        sealedAt = node["sealed_at"]?.string
        versions = node["versions"]?.elements?.compactMap(\.integer) ?? []
        recoverable = node["recoverable"]?.boolean ?? false
    }

    /// One sentence: sealed to what, escrowed since when.
    var sentence: String {
        var parts = ["escrowed since \(escrowedAt)"]
        if let sealedPcrs { parts.append("sealed to \(sealedPcrs)" + (sealedAt.map { " since \($0)" } ?? "")) }
        if let releasedAt { parts.append("given out last at \(releasedAt)") }
        parts.append(recoverable ? "recoverable by an operator's key" : "not recoverable without this TPM")
        return parts.joined(separator: ", ")
    }
}

struct EscrowListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the disks whose keys are in escrow.",
        discussion: "Examples:\n  carnet escrow list\n  carnet escrow list --subject urn:carnet:node:… --json")

    @Option(help: "Of this machine only, by its subject (`carnet node show`).")
    var subject: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: BrokerOptions

    func validate() throws { try subject.map(MachineSubject.check) }

    func run() async throws {
        let entries = try await Self.entries(of: subject, options)
        if json { return try Output.json(entries) }
        guard !entries.isEmpty else { return Output.line("No disk keys in escrow.") }
        for entry in entries { Output.line("\(entry.subject)  \(entry.volume)  \(entry.sentence)") }
    }

    static func entries(of subject: String?, _ options: BrokerOptions) async throws -> [EscrowEntry] {
        let query = subject.map { "?subject=" + OperatorOptions.queryValue($0) } ?? ""
        var entries: [EscrowEntry] = []
        try await options.list("/admin/v1/escrow" + query, "volumes") { entries.append(EscrowEntry($0)) }
        return entries
    }
}

struct EscrowDestroyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy", abstract: "Destroy the keys of a lost machine's disks. There is no way back.",
        discussion: """
            Example:
              carnet escrow destroy urn:carnet:node:… --reason "stolen from the site"

            Revoke the machine at the verifier too: carnet node remove, carnet revoke node.
            """)

    @Argument(help: "The machine's subject.")
    var subject: String

    @Option(help: "This volume only.")
    var volume: String?

    @Option(help: "Why, in one line, for the ledger.")
    var reason: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var options: BrokerOptions

    /// What is printed as JSON.
    private struct Destroyed: Encodable {
        let subject: String
        let volumes: Int64
    }

    func validate() throws { try MachineSubject.check(subject) }

    func run() async throws {
        let body = JSONWriter.object { writer in
            writer.string("subject", subject)
            if let volume { writer.string("volume", volume) }
            writer.string("reason", reason)
        }
        let count = try await options.read("POST", "/admin/v1/escrow/destruction", body: body)["volumes"]?.integer ?? 0
        if json { return try Output.json(Destroyed(subject: subject, volumes: count)) }
        Output.line("Destroyed: the \(count == 1 ? "key of 1 volume" : "keys of \(count) volumes") of \(subject).")
    }
}

struct EscrowRecoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Open the key of a disk whose TPM was replaced, with the operators' recovery key.",
        discussion: """
            The key pair is the operators' own, made once and kept offline; machines pin the public part:
              openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out recovery.key
              openssl pkey -in recovery.key -pubout -out recovery.pem
              carnet-agent disk enrol /dev/sda3 --recovery-key recovery.pem …

            Example:
              carnet escrow recover urn:carnet:node:… root --key recovery.key --reason "board replaced" --out disk.key
              carnet-agent disk enrol /dev/sda3 --key-file disk.key --broker …     # on the machine with its new TPM

            The broker's ledger tells who asked, and why. The key is opened here, and the broker never sees it.
            """)

    @Argument(help: "The machine's subject.")
    var subject: String

    @Argument(help: "The volume's name.")
    var volume: String

    @Option(help: "The file of the private recovery key, PEM (PKCS #8), which only you may read.")
    var key: String

    @Option(help: "Why, in one line, for the ledger.")
    var reason: String

    @Option(help: "The file for the disk's key, mode 0600; it must not be there yet.")
    var out: String

    @Flag(help: "Replace the file of --out.")
    var force = false

    @Flag(help: "Print JSON; the key goes to the file all the same.")
    var json = false

    @OptionGroup var options: BrokerOptions

    /// What is printed as JSON.
    private struct Recovered: Encodable { let subject, volume, file: String }

    func validate() throws { try MachineSubject.check(subject) }

    func run() async throws {
        guard out != "-" else { throw ValidationError("--out is a file: a disk's key is not printed.") }
        let recoveryKey = try PrivateKeyFile.read(key)
        // Before the broker writes down that somebody asked.
        if force {
            try await recover(recoveryKey)
        } else {
            try await Output.keeping(in: out) { try await recover(recoveryKey) }
        }
        if json { return try Output.json(Recovered(subject: subject, volume: volume, file: out)) }
        Output.line("The key of \(volume) is in \(out). Enrol the disk anew, and erase the file.")
    }

    private func recover(_ recoveryKey: PrivateKey) async throws {
        let body = JSONWriter.object { writer in
            writer.string("subject", subject)
            writer.string("volume", volume)
            writer.string("reason", reason)
        }
        let message: [UInt8]
        do {
            message = try await options.send("POST", "/admin/v1/escrow/recovery", body: body)
        } catch let failure as Failure where failure.status == .refused {
            // The broker says the same of a key that is not there and of one without a copy; its list tells them apart.
            let entries = (try? await EscrowListCommand.entries(of: subject, options)) ?? []
            guard entries.contains(where: { $0.volume == volume && !$0.recoverable }) else { throw failure }
            throw Failure(
                .refused,
                "The key of \(volume) was deposited without a recovery key, so that only its machine opens it. On the machine, `carnet-agent disk enrol --recovery-key` adds a copy."
            )
        }
        do {
            // What the machine says that the message is for: one of another machine's or of another volume opens nothing here.
            let purpose = DiskRecovery.recipientInfo(subject, volume)
            let secret = try SecretMessage.open(message, recipientInfo: purpose) { peer in
                try recoveryKey.sharedSecret(with: peer.publicKey())
            }
            try Output.bytes(secret, to: out)
        } catch let error as JOSEError {
            throw Failure(.refused, "The recovery message does not open with this key: \(error)")
        }
    }
}

import ArgumentParser
import CarnetCommandLine
import MeasurementLogs
import ReferenceValues
import StrictEncoding
import TPM2

struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Tell the PCR values of the next boot from the last boot's log and the files that will be replaced.",
        discussion: """
            Examples:
              carnet policy predict --event-log log.bin --uki new.efi --old-uki old.efi
              carnet policy predict --from node-17 --kernel vmlinuz-6.12.60 --initrd initrd.img-6.12.60 --yaml
              carnet policy predict --event-log log.bin --efi shimx64.efi=/usr/lib/shim/shimx64.efi.signed

            The log must be one of a machine that you trust. Old files are found by what the log calls them: look at the
            events that are touched.
            """)

    @Option(name: .customLong("from"), help: "A node whose last evidence the verifier keeps, by name or identifier.")
    var node: String?

    @Option(help: "The last boot's firmware event log; - is standard input.")
    var eventLog: String?

    @Option(help: "The log of systemd's measurements, tpm2-measure.log.")
    var runtimeLog: String?

    @Option(help: "The bank: sha256, sha384 or sha512.")
    var bank = "sha256"

    @Option(help: "The new kernel.")
    var kernel: String?

    @Option(help: "The new initial RAM disk.")
    var initrd: String?

    @Option(help: "The new unified kernel image.")
    var uki: String?

    @Option(help: "The unified kernel image that booted, to know which sections its stub measures.")
    var oldUKI: String?

    @Option(help: "The new command line, without the kernel's file name.")
    var commandLine: String?

    @Option(help: "OLDNAME=FILE: the image that the log calls OLDNAME becomes FILE; repeat for several.")
    var efi: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print lines for a policy's banks.")
    var yaml = false

    @OptionGroup var options: OperatorOptions

    func validate() throws {
        guard (node == nil) != (eventLog == nil) else {
            throw ValidationError(node == nil ? "Give --from or --event-log." : "Give --from or --event-log, not both.")
        }
        if node != nil, runtimeLog != nil { throw ValidationError("--runtime-log goes with --event-log.") }
        if json, yaml { throw ValidationError("Give --json or --yaml, not both.") }
        if uki != nil, kernel != nil || initrd != nil || commandLine != nil {
            throw ValidationError("A unified kernel image has its own kernel, initial RAM disk and command line.")
        }
        if uki == nil, oldUKI != nil { throw ValidationError("--old-uki goes with --uki.") }
        guard efi.allSatisfy({ $0.split(separator: "=", maxSplits: 1).count == 2 }) else {
            throw ValidationError("--efi is OLDNAME=FILE.")
        }
    }

    func run() async throws {
        guard let algorithm = TPM.AlgorithmID(hashNamed: bank), algorithm != .sha1 else {
            throw ValidationError("\(bank) is no bank: sha256, sha384 or sha512.")
        }
        let logs =
            if let eventLog { try KeptLogs(eventLog: eventLog, runtimeLog: runtimeLog) } else {
                try await KeptLogs(of: node ?? "", options)
            }
        let log = try logs.joined()
        guard let replay = ReplayedEventLog(log, bank: algorithm), var next = NextBoot(after: replay) else {
            let banks = log.banks.map(\.algorithm.description).joined(separator: ", ")
            throw Failure(.unreadable, "The logs cannot be replayed in the bank \(bank); the firmware's has \(banks).")
        }
        do {
            try replace(in: &next)
        } catch let error as NextBootError {
            throw Failure(.refused, "\(logs.source): \(error)")
        }
        try PredictionReport(next).print(json: json, yaml: yaml)
    }

    private func replace(in next: inout NextBoot) throws {
        if let uki {
            let old = try oldUKI.map { try ReferenceFiles.image($0) }
            try next.replaceUnifiedKernelImage(by: try ReferenceFiles.image(uki), insteadOf: old)
        }
        if let kernel { try next.replaceKernel(by: try Input.bytes(kernel, maximum: PEImage.maximumByteCount)) }
        if let initrd { try next.replaceInitrd(by: try Input.bytes(initrd, maximum: PEImage.maximumByteCount)) }
        if let commandLine { try next.replaceCommandLine(by: commandLine) }
        for pair in efi {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            try next.replaceImage(named: parts[0], by: try ReferenceFiles.image(parts[1]))
        }
    }
}

/// A prediction as it is printed.
struct PredictionReport: Encodable {
    struct Change: Encodable {
        let what: String
        let event, pcr: Int
        let untrustedSummary, old: String
        let new: String?
    }
    struct Value: Encodable {
        let value, was: String
    }

    let bank: String
    let pcrs: [String: Value]
    let changed: [Int]
    let changes: [Change]
    let notes: [String]
    private let order: [Int]

    enum CodingKeys: CodingKey { case bank, pcrs, changed, changes, notes }

    init(_ next: NextBoot) {
        bank = next.bank.description
        changed = next.changedPCRs
        notes = next.notes
        order = next.pcrs
        var pcrs: [String: Value] = [:]
        for pcr in next.pcrs {
            pcrs[String(pcr)] = Value(
                value: Hexadecimal.encode(next.value(ofPCR: pcr)),
                was: Hexadecimal.encode(next.replay.value(ofPCR: pcr)))
        }
        self.pcrs = pcrs
        changes = next.changes.map {
            Change(
                what: $0.what, event: $0.event, pcr: $0.pcr, untrustedSummary: $0.untrustedSummary,
                old: Hexadecimal.encode($0.old), new: $0.new.map { Hexadecimal.encode($0) })
        }
    }

    func print(json: Bool, yaml: Bool) throws {
        if json { return try Output.json(self) }
        if yaml { return printYAML() }
        if !changes.isEmpty {
            Output.table(
                headings: ["event", "PCR", "what", "in the log"],
                changes.map { [String($0.event), String($0.pcr), $0.what, $0.untrustedSummary] })
            Output.line()
        }
        Output.line("The next boot gives these values of \(bank):")
        Output.table(
            order.map { pcr in
                let mark = changed.contains(pcr) ? "  changes" : ""
                return ("PCR \(pcr)", (pcrs[String(pcr)]?.value ?? "") + mark)
            })
        for note in notes { Output.line("note: " + note) }
    }

    /// PCRs 0 to 15, which a policy may name. What changes is marked in a comment.
    private func printYAML() {
        for note in notes { Output.line("# " + note) }
        Output.line("  \(bank):")
        for pcr in order where pcr < 16 {
            guard let value = pcrs[String(pcr)] else { continue }
            Output.line("    \(pcr): \(value.value)" + (changed.contains(pcr) ? "  # until then \(value.was)" : ""))
        }
    }
}

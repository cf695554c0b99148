import ArgumentParser
import MeasurementLogs
import StrictEncoding
import TPM2
import CarnetCommandLine

struct InspectEventLogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event-log",
        abstract: "Show a firmware event log and the PCR values that it explains.",
        discussion: """
            Examples:
              carnet inspect event-log /sys/kernel/security/tpm0/binary_bios_measurements
              carnet inspect event-log log.bin --bank sha384 --json
            """)

    @Argument(help: "The log's file; - is standard input.")
    var file: String

    @Option(help: "The bank to replay: sha256, sha384, sha512.")
    var bank = "sha256"

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let bank: String
        let secureBoot: String
        let pcrs: [String: String]
        let boot: MeasuredBootReport
        let events: [EventList.Entry]
    }

    func run() throws {
        guard let algorithm = TPM.AlgorithmID(hashNamed: bank) else { throw ValidationError("\(bank) is no bank.") }
        let log: EventLog
        do {
            log = try EventLog(parsing: Input.bytes(file))
        } catch let error as EventLogError {
            throw Failure(.unreadable, "\(file): \(error)")
        }
        guard let replay = ReplayedEventLog(log, bank: algorithm) else {
            let banks = log.banks.map(\.algorithm.description).joined(separator: ", ")
            throw Failure(.unreadable, "The log has no bank \(bank); it has \(banks).")
        }
        let pcrs = (0..<24).filter { replay.eventCount(ofPCR: $0) > 0 }
        let boot = MeasuredBootReport(MeasuredBoot(replay)), events = EventList(log, algorithm)
        if json {
            let values = Dictionary(
                uniqueKeysWithValues: pcrs.map { (String($0), Hexadecimal.encode(replay.value(ofPCR: $0))) })
            return try Output.json(
                Report(
                    bank: bank, secureBoot: replay.secureBoot.rawValue, pcrs: values, boot: boot,
                    events: events.entries))
        }
        Output.line("\(log.count) events, Secure Boot \(replay.secureBoot.rawValue)")
        Output.table(headings: EventList.headings, events.rows)
        Output.line("\nWhat was booted, as far as digests tell (names and roles are the log's word):")
        Output.table(boot.rows)
        Output.line("\nThe log explains these values of \(bank):")
        Output.table(pcrs.map { ("PCR \($0)", Hexadecimal.encode(replay.value(ofPCR: $0))) })
    }
}

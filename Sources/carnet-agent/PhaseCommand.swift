import ArgumentParser
import CarnetAttester
import CarnetCommandLine

struct PhaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phase",
        abstract: "Enter a phase of the boot: what was sealed to the state before is out of reach from now on.",
        discussion: """
            Examples:
              carnet-agent phase workload
              carnet-agent phase workload --pcr 15

            Extends the PCR in every active bank with the word's digest, as systemd-pcrphase does, and adds the record to systemd's log, by
            which a verifier explains the PCR. Nothing takes it back until the next boot. A phase that was entered twice is another state.
            """)

    @Option(help: "The TPM, as a TCTI string.")
    var tcti = TPMDevice.standardDevice

    @Argument(help: "The phase's word: 1 to 32 of a to z, 0 to 9 and -.")
    var word: String

    @Option(help: "The PCR: 11, 12, 13, 15 or 23.")
    var pcr = BootPhase.standardPCR

    @Option(help: "systemd's log of the running system's measurements; it is made where there is none.")
    var runtimeLog = LogSources.standardRuntimeLog

    func run() throws {
        guard let phase = BootPhase(word) else {
            throw ValidationError("\(word) is no word of a phase: 1 to 32 of a to z, 0 to 9 and -.")
        }
        guard BootPhase.pcrs.contains(pcr) else { throw ValidationError("--pcr is 11, 12, 13, 15 or 23.") }
        let device = try TPMDevice(tcti)
        let isExplained = try device.enter(phase, pcr: pcr, log: runtimeLog)
        guard isExplained else {
            throw Failure(
                .refused,
                "PCR \(pcr) was extended with \(word), but an earlier writer of \(runtimeLog) died before its record was written: no verifier can explain the PCR until the next boot."
            )
        }
        Output.line("Entered \(word): PCR \(pcr) was extended")
    }
}

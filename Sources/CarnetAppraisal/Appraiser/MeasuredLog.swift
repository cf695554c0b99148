internal import CarnetEvidence
internal import MeasurementLogs
internal import TPM2

/// An event log that was read and replayed in the quoted banks.
struct MeasuredLog {
    let replays: [TPM.AlgorithmID: ReplayedEventLog]
    let secureBoot: [TPM.AlgorithmID: SecureBootMeasurements]

    struct Broken: Error {
        let finding: Finding
    }

    /// Reads a log that came, or finds that one is missing where it must not be.
    static func read(_ quote: AuthenticatedQuote, _ policy: Policy) -> Result<MeasuredLog?, Broken> {
        guard let bytes = quote.eventLog, !bytes.isEmpty else {
            return policy.requiresEventLog ? .failure(missing) : .success(nil)
        }
        do {
            let log = try EventLog(parsing: bytes)
            var replays: [TPM.AlgorithmID: ReplayedEventLog] = [:]
            for bank in quote.pcrs.banks {
                guard let replay = ReplayedEventLog(log, bank: bank) else { return .failure(missingBank(bank, log)) }
                replays[bank] = replay
            }
            return .success(MeasuredLog(replays: replays, secureBoot: replays.mapValues(SecureBootMeasurements.init)))
        } catch {
            let finding = Finding(
                .brokenEvidenceChain, rule: "event-log-unreadable", "The event log cannot be read: \(error)",
                remedy: "Send /sys/kernel/security/tpm0/binary_bios_measurements as the kernel gives it")
            return .failure(Broken(finding: finding))
        }
    }

    /// Whether every quoted PCR is what the log replays to.
    func explains(_ pcrs: VerifiedPCRs) -> Bool {
        pcrs.selection.selections.allSatisfy { selection in
            selection.indices.allSatisfy { pcr in
                pcrs.value(ofPCR: pcr, in: selection.bank) == replays[selection.bank]?.value(ofPCR: pcr)
            }
        }
    }

    private static var missing: Broken {
        Broken(
            finding: Finding(
                .brokenEvidenceChain, rule: "event-log-missing", "The policy demands the event log, and none came",
                remedy:
                    "Let the agent read /sys/kernel/security/tpm0/binary_bios_measurements (root, or --event-log FILE)")
        )
    }

    private static func missingBank(_ bank: TPM.AlgorithmID, _ log: EventLog) -> Broken {
        Broken(
            finding: Finding(
                .brokenEvidenceChain, rule: "event-log-bank", bank: bank.description,
                "The event log has no digests of the quoted bank \(bank)", expected: bank.description,
                found: log.banks.map(\.algorithm.description).joined(separator: ", "),
                remedy: "Quote a bank in which the firmware measures, or activate this one in its setup"))
    }
}

internal import CarnetEvidence
internal import MeasurementLogs
internal import TPM2

/// An event log that was read and replayed in the quoted banks.
struct MeasuredLog {
    let replays: [TPM.AlgorithmID: ReplayedEventLog]

    struct Broken: Error {
        let finding: Finding
    }

    /// Reads a log that came, or finds that one is missing where it must not be.
    static func read(_ quote: AuthenticatedQuote, _ policy: Policy) -> Result<MeasuredLog?, Broken> {
        guard let bytes = quote.eventLog, !bytes.isEmpty else {
            return policy.requiresEventLog ? .failure(missing) : .success(nil)
        }
        let firmware: EventLog
        do {
            firmware = try EventLog(parsing: bytes)
        } catch {
            let finding = Finding(
                .brokenEvidenceChain, rule: "event-log-unreadable", "The event log cannot be read: \(error)",
                remedy: "Send /sys/kernel/security/tpm0/binary_bios_measurements as the kernel gives it")
            return .failure(Broken(finding: finding))
        }
        return whole(firmware, quote, policy).flatMap { log in
            var replays: [TPM.AlgorithmID: ReplayedEventLog] = [:]
            for bank in quote.pcrs.banks {
                guard let replay = ReplayedEventLog(log, bank: bank) else { return .failure(missingBank(bank, log)) }
                replays[bank] = replay
            }
            return .success(MeasuredLog(replays: replays))
        }
    }

    /// Whether every quoted PCR is what the log replays to; IMA's is explained by its own list.
    func explains(_ pcrs: VerifiedPCRs, except exempt: Int? = nil) -> Bool {
        pcrs.selection.selections.allSatisfy { selection in
            selection.indices.allSatisfy { pcr in
                pcr == exempt
                    || pcrs.value(ofPCR: pcr, in: selection.bank) == replays[selection.bank]?.value(ofPCR: pcr)
            }
        }
    }

    /// The firmware's log with systemd's behind it, if the policy wants that.
    private static func whole(
        _ firmware: EventLog, _ quote: AuthenticatedQuote, _ policy: Policy
    ) -> Result<EventLog, Broken> {
        let next = "Send /run/log/systemd/tpm2-measure.log as systemd writes it (root, or --runtime-log FILE)"
        guard policy.runtimeLog != .none, let bytes = quote.runtimeLog else {
            guard policy.runtimeLog == .required else { return .success(firmware) }
            return .failure(
                Broken(
                    finding: Finding(
                        .brokenEvidenceChain, rule: "runtime-log-missing",
                        "The policy demands systemd's log of what was measured after the boot, and none came",
                        remedy: next)))
        }
        do {
            return .success(try firmware.appending(RuntimeLog(parsing: bytes)))
        } catch {
            return .failure(
                Broken(
                    finding: Finding(
                        .brokenEvidenceChain, rule: "runtime-log-unreadable",
                        "The runtime log cannot be read: \(error)",
                        remedy: next)))
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

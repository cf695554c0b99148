import ArgumentParser

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Export the verifier's ledger, check that nothing in it was changed, and reach its verdicts again.",
        subcommands: [
            AuditVerifyCommand.self, AuditExportCommand.self, AuditReappraiseCommand.self, AuditPruneCommand.self,
        ])
}

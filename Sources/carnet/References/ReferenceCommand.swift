import ArgumentParser

struct ReferenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference",
        abstract: "Make and look at sets of reference values: what good machines may have.",
        subcommands: [
            ReferenceAddCommand.self, ReferenceDebianCommand.self, ReferenceShowCommand.self,
            ReferenceCheckCommand.self,
            ReferenceDiffCommand.self, ReferenceImportCommand.self, ReferenceExportCommand.self,
            ReferencePushCommand.self, ReferencePullCommand.self, ReferenceListCommand.self,
            ReferenceRemoveCommand.self,
        ])
}

package import ArgumentParser

/// Where a command's file of settings is.
package struct ConfigurationFileOption: CommandLineOnly {
    @Option(help: ArgumentHelp("A file of settings, YAML. Environment and flags go before it.", valueName: "file"))
    package var config: String?

    package init() {}
}

/// What a command with a configuration can be asked about it.
package struct ConfigurationOptions: CommandLineOnly {
    @OptionGroup package var file: ConfigurationFileOption

    @Flag(help: "Show every setting that would be used, and who said it; do nothing else.")
    package var printConfig = false

    @Flag(help: "Check settings, files, database and keys as a start would, and change nothing.")
    package var checkConfig = false

    @Flag(help: "With --print-config: print JSON.")
    package var json = false

    package init() {}

    package func validate() throws {
        if json, !printConfig { throw ValidationError("--json goes with --print-config.") }
        if printConfig, checkConfig { throw ValidationError("Give --print-config or --check-config, not both.") }
    }

    /// Whether the command is asked about its settings only.
    package var isQuestion: Bool { printConfig || checkConfig }

    /// Prints the settings of a command that was parsed, with who said each.
    package func printSettings(of command: any ParsableArguments) throws {
        guard let configuration = Configuration.current else { return }
        let report = ConfigurationReport(on: command, configuration)
        if json { try Output.json(report) } else { report.printTable() }
    }
}

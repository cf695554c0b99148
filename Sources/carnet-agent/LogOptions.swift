import ArgumentParser
import CarnetClient
import CarnetAttester

/// Where the measurement logs are.
struct LogOptions: ParsableArguments {
    @Option(help: "The firmware's event log; by default \(LogSources.standardEventLog), if it is there.")
    var eventLog: String?

    @Flag(help: "Send no event log.")
    var noEventLog = false

    @Option(help: "systemd's runtime log; by default \(LogSources.standardRuntimeLog), if it is there.")
    var runtimeLog: String?

    @Flag(help: "Send no runtime log.")
    var noRuntimeLog = false

    @Option(
        name: .customLong("ima-list"),
        help: "The kernel's IMA list in binary; by default \(LogSources.standardIMAList), if it is there.")
    var imaList: String?

    @Flag(name: .customLong("no-ima-list"), help: "Send no IMA list.")
    var noIMAList = false

    /// The sources; which of them are read is the verifier's to say.
    var sources: LogSources {
        LogSources(
            eventLog: Self.source(eventLog, noEventLog, LogSources.standardEventLog),
            runtimeLog: Self.source(runtimeLog, noRuntimeLog, LogSources.standardRuntimeLog),
            imaList: Self.source(imaList, noIMAList, LogSources.standardIMAList))
    }

    private static func source(_ path: String?, _ isOff: Bool, _ standardPath: String) -> LogSources.Source {
        guard !isOff else { return .nowhere }
        // As everywhere in these programs, - is standard input.
        return path.map { .file($0 == "-" ? "/dev/stdin" : $0) } ?? .fileIfReadable(standardPath)
    }
}

/// Where a machine's measurement logs are read.
public struct LogSources: Sendable, Hashable {
    /// Where one log is.
    public enum Source: Sendable, Hashable {
        /// Nowhere: it is not to be sent.
        case nowhere
        /// In a file that has to be there when the log is wanted.
        case file(String)
        /// In a file that need not be there, unless the log is required.
        case fileIfReadable(String)
        /// In memory already.
        case bytes([UInt8])

        /// The file's path.
        var path: String? {
            switch self {
            case .file(let path), .fileIfReadable(let path): path
            case .nowhere, .bytes: nil
            }
        }
    }

    /// The firmware's event log.
    public var eventLog: Source
    /// What systemd measured in the running system.
    public var runtimeLog: Source
    /// What the kernel measured in the running system, in binary.
    public var imaList: Source

    /// Sources; a log that is not named is nowhere.
    public init(eventLog: Source = .nowhere, runtimeLog: Source = .nowhere, imaList: Source = .nowhere) {
        self.eventLog = eventLog
        self.runtimeLog = runtimeLog
        self.imaList = imaList
    }

    /// Where Linux has the event log of its first TPM.
    public static let standardEventLog = "/sys/kernel/security/tpm0/binary_bios_measurements"
    /// Where systemd has its log.
    public static let standardRuntimeLog = "/run/log/systemd/tpm2-measure.log"
    /// Where Linux has its IMA list.
    public static let standardIMAList = "/sys/kernel/security/ima/binary_runtime_measurements"

    /// The places at which Linux and systemd have their logs, where they have them.
    public static let standard = LogSources(
        eventLog: .fileIfReadable(standardEventLog), runtimeLog: .fileIfReadable(standardRuntimeLog),
        imaList: .fileIfReadable(standardIMAList))
}

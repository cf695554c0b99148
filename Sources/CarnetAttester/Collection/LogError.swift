/// Why a log that a verifier wants is not sent: which file, and what to do.
public struct LogError: Error, Hashable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// The verifier requires a log, and there is none to send.
        case missing
        /// A file that was named cannot be read.
        case unreadable
        /// It is longer than what verifiers read.
        case tooLarge
    }

    public let code: Code
    /// The file; `nil` when none was looked at.
    public let path: String?
    /// What failed, and what to do.
    public let description: String

    static func missing(_ kind: LogKind, _ path: String?, _ reason: String?) -> LogError {
        let file = path.map { "\($0) cannot be read here\(reason.map { " (\($0))" } ?? "")" } ?? "it is not to be sent"
        return LogError(
            code: .missing, path: path,
            description: "The verifier's policy wants \(kind.name), and \(file). \(kind.nextStep)")
    }

    static func unreadable(_ path: String, _ reason: String) -> LogError {
        LogError(code: .unreadable, path: path, description: "\(path) cannot be read: \(reason).")
    }

    static func tooLarge(_ kind: LogKind, _ path: String?, _ maximum: Int) -> LogError {
        LogError(
            code: .tooLarge, path: path,
            description:
                "\(path ?? "A log") has more than \(maximum) bytes to send, which is more than a verifier reads of "
                + "\(kind.name). \(kind.wayToShorten)")
    }
}

/// The logs, as people are told of them.
enum LogKind: Sendable {
    case event, runtime, ima

    var name: String {
        switch self {
        case .event: "the firmware's event log"
        case .runtime: "systemd's runtime log"
        case .ima: "the kernel's IMA list"
        }
    }

    var nextStep: String {
        switch self {
        case .event: "Run as root on a machine that booted with UEFI, or name the log with --event-log."
        case .runtime:
            "Run as root where systemd measures (systemd 255 or later, TPM enabled in the firmware), or name the log with --runtime-log."
        case .ima:
            "Run as root on a kernel that measures (a boot with ima_policy=tcb), or name the list with --ima-list."
        }
    }

    var wayToShorten: String {
        switch self {
        case .event, .runtime: "Name the right file."
        case .ima: "Reboot, and have the kernel's IMA policy measure less."
        }
    }
}

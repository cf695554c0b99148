/// Why a volume was not enrolled or opened: what failed, and what to do.
public struct DiskError: Error, Sendable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// The answer is no: the header is refused, the key is wrong, the TPM or the broker does not give it.
        case refused
        /// A volume, a key or a setting is not what it should be.
        case unreadable
        /// Something that is needed is not there: cryptsetup, the broker, the right to open the volume.
        case unavailable
    }

    public let code: Code
    /// What failed, and what to do.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    init(_ error: LUKS2Error, _ path: String) {
        switch error.code {
        case .none:
            self.init(
                .unreadable, "\(path) is no LUKS2 volume: \(error). Make one with `cryptsetup luksFormat --type luks2`."
            )
        case .damaged:
            self.init(
                .unreadable,
                "The header of \(path) is damaged: \(error). Restore it from a copy with `cryptsetup luksHeaderRestore`."
            )
        case .refused:
            self.init(
                .refused,
                "The header of \(path) is not accepted: \(error). Nothing was opened. If nobody here changed it, somebody else did: keep the disk, and restore the header from a copy."
            )
        }
    }
}

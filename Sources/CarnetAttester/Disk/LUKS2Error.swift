/// Why a volume's header is not used.
public struct LUKS2Error: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// There is no LUKS2 header.
        case none
        /// The header cannot be read, or its checksum is wrong.
        case damaged
        /// It can be read, and says what is not accepted: no encryption above all.
        case refused
    }

    public let code: Code
    /// What is wrong, without the volume's name.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func damaged(_ reason: String) -> Self { Self(.damaged, reason) }
    static func refused(_ reason: String) -> Self { Self(.refused, reason) }
}

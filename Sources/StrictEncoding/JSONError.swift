/// Why a text is not JSON that Carnet reads. Two errors are equal when their codes are.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// More bytes or values than the caller allows.
        case tooLarge
        /// More nested arrays and objects than the caller allows.
        case tooDeep
        /// A member that occurs twice in one object.
        case duplicateMember
        /// Anything else that RFC 8259 does not allow, or that Carnet does not (NUL in a string, bad UTF-8).
        case malformed
    }

    /// What went wrong.
    public let code: Code
    /// How many bytes of the text had been read.
    public let byteOffset: Int
    /// A sentence for people.
    public let reason: String

    /// An error with its place and reason.
    public init(_ code: Code, byteOffset: Int, _ reason: String) {
        self.code = code
        self.byteOffset = byteOffset
        self.reason = reason
    }

    /// The reason, with the place.
    public var description: String { "\(reason) (at byte \(byteOffset))" }

    /// Whether the codes are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

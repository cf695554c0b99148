/// Why a TPM did not do what it was asked. Two errors are equal when their codes are.
public struct TPMError: Error, Equatable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: String, Sendable, Hashable {
        /// The address is no TCTI string that tpm2-tss can load.
        case invalidAddress
        /// Nothing is at the address.
        case absent
        /// This user may not open the device.
        case permissionDenied
        /// Somebody else holds the TPM, or it does not answer.
        case busy
        /// The TPM was not started: firmware or `tpm2_startup` does that.
        case notStarted
        /// The TPM failed its self-test and answers nothing else.
        case failureMode
        /// Too many wrong authorisations: the TPM refuses keys for a while.
        case lockedOut
        /// The TPM has no room for another key or session.
        case full
        /// The TPM does not have the bank, algorithm or index.
        case unsupported
        /// The TPM refused a command.
        case refused
        /// An argument or an answer that is not what the specification says.
        case malformed
        /// The connection broke while a command ran.
        case disconnected
    }

    public let code: Code
    /// The TCTI string that was tried.
    public let address: String
    /// What was attempted, in the specification's words, as `TPM2_Quote`.
    public let operation: String
    /// The TPM's response code, or tpm2-tss's, when there was one.
    public let responseCode: UInt32?
    /// What is wrong and what to do, in a sentence.
    public let reason: String

    /// An error with its circumstances.
    public init(_ code: Code, address: String, operation: String, responseCode: UInt32? = nil, _ reason: String) {
        self.code = code
        self.address = address
        self.operation = operation
        self.responseCode = responseCode
        self.reason = reason
    }

    /// Which device was tried, what failed, and what to do.
    public var description: String {
        let number = responseCode.map { " (0x\(String($0, radix: 16)))" } ?? ""
        return "TPM \(address): \(operation): \(reason)\(number)"
    }

    /// Whether a TPM could be reached at all; `false` sends a program to its exit status for an unavailable TPM.
    public var isUnavailability: Bool {
        switch code {
        case .absent, .permissionDenied, .busy, .notStarted, .failureMode, .lockedOut, .full, .disconnected: true
        case .invalidAddress, .unsupported, .refused, .malformed: false
        }
    }

    /// Whether the codes are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

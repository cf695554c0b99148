import COpenSSL

/// Why a key, a ciphertext or a certificate could not be used. Two errors are equal when their codes are.
public struct CryptographyError: Error, Equatable, CustomStringConvertible {
    /// What a caller may branch on.
    public enum Code: Sendable, Hashable {
        /// A key whose bytes, curve, point or size cannot be accepted.
        case invalidKey
        /// A parameter (nonce, key, block) of the wrong length.
        case invalidLength
        /// The ciphertext or its tag is not what the key holder wrote.
        case authenticationFailed
        /// A certificate that cannot be read.
        case invalidCertificate
        /// A certificate request that cannot be read.
        case invalidRequest
        /// libcrypto refused an operation on good parameters.
        case operationFailed
    }

    /// What went wrong.
    public let code: Code
    /// A sentence for people; it names sizes and algorithms, never key material.
    public let reason: String

    /// An error with its reason.
    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }

    /// Whether the codes are equal.
    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// An error that names the libcrypto call and takes the thread's last OpenSSL error as its reason.
    static func openSSL(_ code: Code, _ call: String) -> Self {
        let number = ERR_get_error()
        ERR_clear_error()
        guard number != 0 else { return Self(code, "\(call) failed") }
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            ERR_error_string_n(number, buffer.baseAddress, buffer.count)
            return buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
        return Self(code, "\(call) failed: \(text)")
    }
}

/// Ends the process when libcrypto cannot hash: no verdict may be computed from a digest that was not.
///
/// These calls fail only when memory is exhausted or the library is broken, never because of input.
@inline(__always)
func requireSuccess(_ code: CInt, _ call: StaticString) {
    if code != 1 { preconditionFailure("libcrypto: \(call) failed") }
}

/// A null-terminated ASCII name that outlives every call: OSSL_PARAM keys keep the pointer they are given.
@inline(__always)
func parameterName(_ name: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// Why a key, a key set, or an encrypted message cannot be used.
public enum JOSEError: Error, Hashable, CustomStringConvertible {
    case invalidKey(String)
    case invalidKeySet(String)
    case invalidMessage(String)
    /// A signature or a ciphertext that the named key did not make.
    case notAuthentic(String)
    /// The cryptographic library or the TPM failed.
    case operationFailed(String)

    /// The reason.
    public var description: String {
        switch self {
        case .invalidKey(let reason), .invalidKeySet(let reason), .invalidMessage(let reason),
            .notAuthentic(let reason),
            .operationFailed(let reason):
            reason
        }
    }
}

internal import Cryptography
internal import MeasurementLogs

extension SignatureData {
    /// How policies name it: SHA-256 of a certificate's DER, or the digest itself; empty for what is neither.
    var reference: [UInt8] {
        switch kind {
        case .x509: HashAlgorithm.sha256.hash(data)
        case .sha256: Array(data)
        default: []
        }
    }
}

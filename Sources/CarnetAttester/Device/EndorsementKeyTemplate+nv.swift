internal import Cryptography
internal import TPM2

extension TPM.EndorsementKeyTemplate {
    /// Where a maker stores the nonce that goes into `unique` (TCG EK Credential Profile 2.6 §2.2.1.4).
    var nonceIndex: UInt32 { certificateIndex + 1 }

    /// Where a maker stores a whole template that differs from the default.
    var templateIndex: UInt32 { certificateIndex + 2 }

    /// The template with a nonce at the front of `unique`, zeros behind it.
    func publicArea(nonce: [UInt8]) -> TPM.Public {
        let area = publicArea
        func padded(_ count: Int) -> [UInt8] {
            Array(nonce.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - nonce.count))
        }
        let key: TPM.Public.Key =
            switch area.key {
            case .rsa(let bits, let exponent, _): .rsa(bits: bits, exponent: exponent, modulus: padded(Int(bits) / 8))
            case .ecc(let curve, _, let y): .ecc(curve: curve, x: padded(curve.coordinateByteCount), y: y)
            }
        return TPM.Public(
            nameAlgorithm: area.nameAlgorithm, attributes: area.attributes, authPolicy: area.authPolicy,
            symmetric: area.symmetric, scheme: area.scheme, key: key)
    }
}

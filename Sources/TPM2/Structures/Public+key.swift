internal import Cryptography

extension TPM.Public {
    /// `TPMS_RSA_PARMS` after the scheme, and `TPM2B_PUBLIC_KEY_RSA`.
    static func readRSA(_ reader: inout TPM.Reader) throws(TPM.ParseError) -> Key {
        let bits = try reader.uint16("keyBits")
        guard [1024, 2048, 3072, 4096].contains(bits) else { throw .unsupported(field: "keyBits", value: UInt32(bits)) }
        let exponent = try reader.uint32("exponent")
        let modulus = try reader.sized("unique.rsa", maximum: 512)
        guard modulus.isEmpty || modulus.count * 8 == Int(bits) else {
            throw .invalid(field: "unique.rsa", reason: "has \(modulus.count) bytes; the key has \(bits) bits")
        }
        return .rsa(bits: bits, exponent: exponent, modulus: modulus)
    }

    /// `TPMS_ECC_PARMS` after the scheme, and `TPMS_ECC_POINT`.
    static func readECC(_ reader: inout TPM.Reader) throws(TPM.ParseError) -> Key {
        let identifier = try reader.uint16("curveID")
        guard let curve = EllipticCurve.allCases.first(where: { $0.tpmIdentifier == identifier }) else {
            throw .unsupported(field: "curveID", value: UInt32(identifier))
        }
        let kdf = TPM.AlgorithmID(rawValue: try reader.uint16("kdf"))
        guard kdf == .null else { throw .unsupported(field: "kdf", value: UInt32(kdf.rawValue)) }
        let x = try reader.sized("unique.ecc.x", maximum: curve.coordinateByteCount)
        let y = try reader.sized("unique.ecc.y", maximum: curve.coordinateByteCount)
        return .ecc(curve: curve, x: x, y: y)
    }
}

extension TPM.Public.Key {
    /// `TPMI_ALG_PUBLIC`.
    var type: TPM.AlgorithmID {
        switch self {
        case .rsa: .rsa
        case .ecc: .ecc
        }
    }

    func write(to writer: inout TPM.Writer) {
        switch self {
        case .rsa(let bits, let exponent, let modulus):
            writer.uint16(bits)
            writer.uint32(exponent)
            writer.sized(modulus)
        case .ecc(let curve, let x, let y):
            writer.uint16(curve.tpmIdentifier)
            writer.uint16(TPM.AlgorithmID.null.rawValue)
            writer.sized(x)
            writer.sized(y)
        }
    }
}

extension EllipticCurve {
    /// `TPM_ECC_CURVE` (Part 2 §6.4).
    var tpmIdentifier: UInt16 {
        switch self {
        case .p256: 0x0003
        case .p384: 0x0004
        case .p521: 0x0005
        }
    }
}

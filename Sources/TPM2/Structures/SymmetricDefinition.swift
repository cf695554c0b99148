extension TPM {
    /// `TPMT_SYM_DEF_OBJECT` (Part 2 §11.1.7): the cipher with which a storage key protects what it wraps.
    public enum SymmetricDefinition: Sendable, Hashable {
        /// No cipher: the key is not a storage key.
        case null
        /// AES in CFB mode with so many bits of key.
        case aesCFB(bits: UInt16)

        init(reading reader: inout Reader) throws(ParseError) {
            switch AlgorithmID(rawValue: try reader.uint16("symmetric.algorithm")) {
            case .null: self = .null
            case .aes:
                let bits = try reader.uint16("symmetric.keyBits")
                guard bits == 128 || bits == 192 || bits == 256 else {
                    throw .invalid(field: "symmetric.keyBits", reason: "is \(bits), which AES does not have")
                }
                let mode = AlgorithmID(rawValue: try reader.uint16("symmetric.mode"))
                guard mode == .cfb else { throw .unsupported(field: "symmetric.mode", value: UInt32(mode.rawValue)) }
                self = .aesCFB(bits: bits)
            case let other: throw .unsupported(field: "symmetric.algorithm", value: UInt32(other.rawValue))
            }
        }

        func write(to writer: inout Writer) {
            switch self {
            case .null: writer.uint16(AlgorithmID.null.rawValue)
            case .aesCFB(let bits):
                writer.uint16(AlgorithmID.aes.rawValue)
                writer.uint16(bits)
                writer.uint16(AlgorithmID.cfb.rawValue)
            }
        }
    }
}

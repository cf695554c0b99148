extension TPM {
    /// `TPMT_RSA_SCHEME` and `TPMT_ECC_SCHEME` (Part 2 §11.2.4): how a key is used, when it is bound to one way.
    public enum KeyScheme: Sendable, Hashable {
        /// The caller chooses at each use.
        case null
        case rsassa(AlgorithmID)
        case rsapss(AlgorithmID)
        case ecdsa(AlgorithmID)
        case ecdh(AlgorithmID)
        case oaep(AlgorithmID)
        case rsaes

        init(reading reader: inout Reader) throws(ParseError) {
            let scheme = AlgorithmID(rawValue: try reader.uint16("scheme"))
            func hash() throws(ParseError) -> AlgorithmID { AlgorithmID(rawValue: try reader.uint16("scheme.hashAlg")) }
            switch scheme {
            case .null: self = .null
            case .rsaes: self = .rsaes
            case .rsassa: self = .rsassa(try hash())
            case .rsapss: self = .rsapss(try hash())
            case .ecdsa: self = .ecdsa(try hash())
            case .ecdh: self = .ecdh(try hash())
            case .oaep: self = .oaep(try hash())
            default: throw .unsupported(field: "scheme", value: UInt32(scheme.rawValue))
            }
        }

        func write(to writer: inout Writer) {
            let (scheme, hash): (AlgorithmID, AlgorithmID?) =
                switch self {
                case .null: (.null, nil)
                case .rsaes: (.rsaes, nil)
                case .rsassa(let hash): (.rsassa, hash)
                case .rsapss(let hash): (.rsapss, hash)
                case .ecdsa(let hash): (.ecdsa, hash)
                case .ecdh(let hash): (.ecdh, hash)
                case .oaep(let hash): (.oaep, hash)
                }
            writer.uint16(scheme.rawValue)
            if let hash { writer.uint16(hash.rawValue) }
        }
    }
}

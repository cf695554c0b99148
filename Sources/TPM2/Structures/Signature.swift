extension TPM {
    /// A signature with its scheme and hash (`TPMT_SIGNATURE`, Part 2 §11.3.4).
    ///
    /// The scheme and hash in it are what the sender says: ``Public/isValid(_:over:)`` compares them with the key's own.
    public enum Signature: Sendable, Hashable {
        case rsassa(hash: AlgorithmID, signature: [UInt8])
        case rsapss(hash: AlgorithmID, signature: [UInt8])
        /// r and s, big-endian, as long as the TPM wrote them.
        case ecdsa(hash: AlgorithmID, r: [UInt8], s: [UInt8])

        /// Reads one structure and requires that it fills `bytes` exactly.
        public init(parsing bytes: [UInt8]) throws(ParseError) {
            var reader = Reader(bytes)
            let scheme = AlgorithmID(rawValue: try reader.uint16("sigAlg"))
            guard [.rsassa, .rsapss, .ecdsa].contains(scheme) else {
                throw .unsupported(field: "sigAlg", value: UInt32(scheme.rawValue))
            }
            let hash = AlgorithmID(rawValue: try reader.uint16("hash"))
            switch scheme {
            case .rsassa: self = .rsassa(hash: hash, signature: try reader.sized("sig", maximum: 512))
            case .rsapss: self = .rsapss(hash: hash, signature: try reader.sized("sig", maximum: 512))
            default:
                let r = try reader.sized("signatureR", maximum: 66)
                self = .ecdsa(hash: hash, r: r, s: try reader.sized("signatureS", maximum: 66))
            }
            try reader.end()
        }

        /// The structure as a TPM writes it.
        public var bytes: [UInt8] {
            var writer = Writer()
            switch self {
            case .rsassa(let hash, let signature), .rsapss(let hash, let signature):
                writer.uint16(scheme.rawValue)
                writer.uint16(hash.rawValue)
                writer.sized(signature)
            case .ecdsa(let hash, let r, let s):
                writer.uint16(scheme.rawValue)
                writer.uint16(hash.rawValue)
                writer.sized(r)
                writer.sized(s)
            }
            return writer.bytes
        }

        /// The scheme that the signature claims.
        public var scheme: AlgorithmID {
            switch self {
            case .rsassa: .rsassa
            case .rsapss: .rsapss
            case .ecdsa: .ecdsa
            }
        }

        /// The hash that the signature claims.
        public var hash: AlgorithmID {
            switch self {
            case .rsassa(let hash, _), .rsapss(let hash, _), .ecdsa(let hash, _, _): hash
            }
        }
    }
}

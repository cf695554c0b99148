public import Cryptography

extension TPM {
    /// A key's public area (`TPMT_PUBLIC`, Part 2 §12.2.4), of an RSA or an elliptic-curve key.
    ///
    /// Reading one proves nothing about where the key lives: that takes an attestation over its ``name``.
    public struct Public: Sendable, Hashable {
        /// The bytes that were read or written: what the name is a digest of.
        public let bytes: [UInt8]
        /// The hash of the name and of the policy.
        public let nameAlgorithm: HashAlgorithm
        public let attributes: ObjectAttributes
        /// The policy digest that use of the key must satisfy; empty for none.
        public let authPolicy: [UInt8]
        public let symmetric: SymmetricDefinition
        public let scheme: KeyScheme
        public let key: Key

        /// The part that differs between RSA and curves.
        public enum Key: Sendable, Hashable {
            /// The modulus, big-endian, empty in a template; an exponent of 0 in the structure stands for 65537.
            case rsa(bits: UInt16, exponent: UInt32, modulus: [UInt8])
            /// The coordinates, big-endian, empty or zero in a template.
            case ecc(curve: EllipticCurve, x: [UInt8], y: [UInt8])
        }

        /// Reads one structure and requires that it fills `bytes` exactly.
        public init(parsing bytes: [UInt8]) throws(ParseError) {
            var reader = Reader(bytes)
            let type = AlgorithmID(rawValue: try reader.uint16("type"))
            guard type == .rsa || type == .ecc else { throw .unsupported(field: "type", value: UInt32(type.rawValue)) }
            let nameAlgorithm = AlgorithmID(rawValue: try reader.uint16("nameAlg"))
            guard let hash = nameAlgorithm.hash else {
                throw .unsupported(field: "nameAlg", value: UInt32(nameAlgorithm.rawValue))
            }
            self.nameAlgorithm = hash
            attributes = ObjectAttributes(rawValue: try reader.uint32("objectAttributes"))
            authPolicy = try reader.sized("authPolicy", maximum: 64)
            guard authPolicy.isEmpty || authPolicy.count == hash.byteCount else {
                let reason = "has \(authPolicy.count) bytes; a digest of nameAlg has \(hash.byteCount)"
                throw .invalid(field: "authPolicy", reason: reason)
            }
            symmetric = try SymmetricDefinition(reading: &reader)
            scheme = try KeyScheme(reading: &reader)
            key = try type == .rsa ? Self.readRSA(&reader) : Self.readECC(&reader)
            try reader.end()
            self.bytes = bytes
        }

        /// A public area from its parts, as a template or for a key made elsewhere.
        public init(
            nameAlgorithm: HashAlgorithm = .sha256, attributes: ObjectAttributes, authPolicy: [UInt8] = [],
            symmetric: SymmetricDefinition = .null, scheme: KeyScheme = .null, key: Key
        ) {
            self.nameAlgorithm = nameAlgorithm
            self.attributes = attributes
            self.authPolicy = authPolicy
            self.symmetric = symmetric
            self.scheme = scheme
            self.key = key
            var writer = Writer()
            writer.uint16(key.type.rawValue)
            writer.uint16(AlgorithmID(nameAlgorithm).rawValue)
            writer.uint32(attributes.rawValue)
            writer.sized(authPolicy)
            symmetric.write(to: &writer)
            scheme.write(to: &writer)
            key.write(to: &writer)
            bytes = writer.bytes
        }

        /// The object's name, computed: nameAlg ‖ H(TPMT_PUBLIC).
        public var name: Name { Name(nameAlgorithm, of: bytes) }

        /// The key as one that signatures can be checked with.
        ///
        /// - Throws: ``CryptographyError/Code/invalidKey`` for a template, a point off its curve, or an unusable modulus.
        public func publicKey() throws(CryptographyError) -> PublicKey {
            switch key {
            case .rsa(_, let exponent, let modulus):
                try PublicKey(rsaModulus: modulus, publicExponent: exponent == 0 ? 65537 : exponent)
            case .ecc(let curve, let x, let y): try PublicKey(curve, x: x, y: y)
            }
        }
    }
}

extension TPM {
    /// The public area of a sealed data object (`TPMT_PUBLIC` of the type KEYEDHASH without a scheme, Part 2 §12.2.3.3), SHA-256.
    public struct SealedPublic: Sendable, Hashable {
        public let attributes: ObjectAttributes
        /// The policy digest that unsealing must satisfy, 32 bytes; empty for none.
        public let authPolicy: [UInt8]
        /// H(seed ‖ secret) as the TPM computed it, 32 bytes; empty in a template.
        public let unique: [UInt8]

        /// A template.
        public init(attributes: ObjectAttributes, authPolicy: [UInt8]) {
            self.attributes = attributes
            self.authPolicy = authPolicy
            unique = []
        }

        /// Reads one structure and requires that it fills `bytes` exactly.
        public init(parsing bytes: [UInt8]) throws(ParseError) {
            var reader = Reader(bytes)
            let type = try reader.uint16("type")
            guard type == AlgorithmID.keyedHash.rawValue else { throw .unsupported(field: "type", value: UInt32(type)) }
            let nameAlgorithm = try reader.uint16("nameAlg")
            guard nameAlgorithm == AlgorithmID.sha256.rawValue else {
                throw .unsupported(field: "nameAlg", value: UInt32(nameAlgorithm))
            }
            attributes = ObjectAttributes(rawValue: try reader.uint32("objectAttributes"))
            authPolicy = try reader.sized("authPolicy", maximum: 32)
            guard authPolicy.isEmpty || authPolicy.count == 32 else {
                throw .invalid(field: "authPolicy", reason: "has \(authPolicy.count) bytes; SHA-256 has 32")
            }
            let scheme = try reader.uint16("scheme")
            guard scheme == AlgorithmID.null.rawValue else {
                throw .unsupported(field: "scheme", value: UInt32(scheme))
            }
            unique = try reader.sized("unique", maximum: 32)
            try reader.end()
        }

        /// The structure as a TPM writes it.
        public var bytes: [UInt8] {
            var writer = Writer()
            writer.uint16(AlgorithmID.keyedHash.rawValue)
            writer.uint16(AlgorithmID.sha256.rawValue)
            writer.uint32(attributes.rawValue)
            writer.sized(authPolicy)
            writer.uint16(AlgorithmID.null.rawValue)
            writer.sized(unique)
            return writer.bytes
        }
    }
}

internal import Cryptography

extension TPM {
    /// The content of a `TPM2B_NAME` of an object (Part 1 §16, Part 2 §10.5.3): a hash algorithm and a digest.
    ///
    /// A name that arrives proves nothing; recompute it with ``Public/name`` and compare.
    public struct Name: Sendable, Hashable, CustomStringConvertible {
        /// Two bytes of algorithm, big-endian, and the digest.
        public let bytes: [UInt8]

        /// The hash algorithm.
        public var algorithm: AlgorithmID { AlgorithmID(rawValue: UInt16(bytes[0]) << 8 | UInt16(bytes[1])) }

        /// Reads the content of a `TPM2B_NAME`: SHA-1, SHA-256, SHA-384 or SHA-512 and a digest of that length.
        public init(parsing bytes: [UInt8]) throws(ParseError) {
            guard bytes.count > 2 else { throw .truncated(field: "name") }
            let algorithm = AlgorithmID(rawValue: UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
            guard let hash = algorithm.hash else {
                throw .unsupported(field: "name.hashAlg", value: UInt32(algorithm.rawValue))
            }
            guard bytes.count == 2 + hash.byteCount else {
                let reason = "has \(bytes.count - 2) bytes of digest; \(algorithm) has \(hash.byteCount)"
                throw .invalid(field: "name", reason: reason)
            }
            self.bytes = bytes
        }

        /// The name of an object with this public area: nameAlg ‖ H(TPMT_PUBLIC).
        init(_ hash: HashAlgorithm, of publicArea: [UInt8]) {
            bytes = Self.prefix(hash) + hash.hash(publicArea)
        }

        private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

        /// The qualified name of an object under a parent: nameAlg ‖ H(QN of the parent ‖ Name) (Part 1 §16).
        ///
        /// - Parameter parent: The parent's qualified name; for a primary key the hierarchy's handle, 4 bytes.
        public func qualified(under parent: [UInt8]) -> Name {
            guard let hash = algorithm.hash else { return self }
            return Name(unchecked: Self.prefix(hash) + hash.hash(parent, bytes))
        }

        /// The qualified name of a primary key in a hierarchy.
        public func qualified(under hierarchy: Hierarchy) -> Name { qualified(under: hierarchy.handleBytes) }

        /// Lower-case hexadecimal.
        public var description: String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }

        private static func prefix(_ hash: HashAlgorithm) -> [UInt8] {
            let identifier = AlgorithmID(hash).rawValue
            return [UInt8(identifier >> 8), UInt8(identifier & 0xFF)]
        }
    }

    /// The root of a key's ancestry (`TPMI_RH_HIERARCHY`, Part 2 §9.13).
    public enum Hierarchy: UInt32, Sendable {
        case owner = 0x4000_0001
        case null = 0x4000_0007
        case endorsement = 0x4000_000B
        case platform = 0x4000_000C

        /// The handle as 4 bytes, which stand for the hierarchy's name.
        public var handleBytes: [UInt8] {
            var writer = Writer()
            writer.uint32(rawValue)
            return writer.bytes
        }
    }
}

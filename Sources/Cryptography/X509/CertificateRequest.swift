/// A request for a certificate (PKCS #10, RFC 2986), read and not yet believed.
///
/// Reading the fields proves nothing about who wrote them: ``isSignedByItsKey`` says whether the holder of the key did. What the request
/// asks for is the requester's wish. The bytes are DER in the one spelling, all of them consumed.
public struct CertificateRequest: Sendable {
    /// The bytes that were read.
    public let der: [UInt8]
    /// The subject: relative distinguished names in their order, each a list of attributes, which is one in every name but odd ones.
    public let subject: [[NameAttribute]]
    /// The key to be certified.
    public let publicKey: PublicKey
    /// The extensions that are asked for (RFC 2985 §5.4.2), in their order, each at most once.
    public let extensions: [RequestedExtension]
    /// The names of the requested subject alternative name (RFC 5280 §4.2.1.6); `nil` when none is asked for.
    public let alternativeNames: AlternativeNames?
    /// The attributes other than the requested extensions, as dotted numbers, in their order.
    public let otherAttributes: [String]

    /// CertificationRequestInfo: what the signature covers.
    let signedBytes: ArraySlice<UInt8>
    /// AlgorithmIdentifier, whole.
    let signatureAlgorithm: ArraySlice<UInt8>
    let signature: [UInt8]

    /// The longest request that is read, in bytes.
    public static let maximumByteCount = 16_384

    /// One attribute of a name: type and value.
    public struct NameAttribute: Sendable, Hashable {
        /// The type as dotted numbers: 2.5.4.3 is the common name, 2.5.4.10 the organization.
        public let identifier: String
        /// The value, 1 to 1,024 bytes of UTF-8 without control characters.
        public let value: String

        /// An attribute.
        public init(identifier: String, value: String) {
            self.identifier = identifier
            self.value = value
        }

        /// A common name (2.5.4.3).
        public static func commonName(_ value: String) -> Self { Self(identifier: "2.5.4.3", value: value) }
        /// An organization (2.5.4.10).
        public static func organization(_ value: String) -> Self { Self(identifier: "2.5.4.10", value: value) }
    }

    /// An extension that is asked for.
    public struct RequestedExtension: Sendable, Hashable {
        /// The type as dotted numbers.
        public let identifier: String
        public let isCritical: Bool
        /// The value, DER, without the octet string around it.
        public let der: [UInt8]

        /// An extension.
        public init(identifier: String, isCritical: Bool = false, der: [UInt8]) {
            self.identifier = identifier
            self.isCritical = isCritical
            self.der = der
        }
    }

    /// The type of the subject alternative name, as dotted numbers.
    public static let alternativeNameIdentifier = "2.5.29.17"

    /// Names beside the subject.
    public struct AlternativeNames: Sendable, Hashable {
        /// Host names, visible ASCII of 1 to 253 characters.
        public var dns: [String]
        /// Addresses, 4 or 16 bytes each, in network byte order.
        public var addresses: [[UInt8]]
        /// How many names of other kinds there are: mailboxes, URIs, directory names and the rest.
        public var otherCount: Int

        /// Names.
        public init(dns: [String] = [], addresses: [[UInt8]] = [], otherCount: Int = 0) {
            self.dns = dns
            self.addresses = addresses
            self.otherCount = otherCount
        }
    }
}

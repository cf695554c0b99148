/// A prime curve of NIST SP 800-186 that Carnet accepts.
public enum EllipticCurve: Sendable, Hashable, CaseIterable {
    case p256
    case p384
    case p521

    /// The length of a coordinate, and of r and s, in bytes.
    public var coordinateByteCount: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// libcrypto's name of the group.
    var groupName: StaticString {
        switch self {
        case .p256: "P-256"
        case .p384: "P-384"
        case .p521: "P-521"
        }
    }

    /// The curve that libcrypto calls `name`, under either of its two names.
    init?(groupName name: String) {
        switch name {
        case "prime256v1", "P-256": self = .p256
        case "secp384r1", "P-384": self = .p384
        case "secp521r1", "P-521": self = .p521
        default: return nil
        }
    }
}

/// How an RSA signature is padded (RFC 8017).
public enum RSAPadding: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5, section 8.2.
    case pkcs1v15
    /// RSASSA-PSS, section 8.1, MGF1 with the message's hash, any salt length: TPMs differ in it.
    case pss
}

internal import Cryptography

/// One thing that a boot may measure.
public struct ReferenceComponent: Sendable, Hashable {
    /// What the digest is of, and so where it counts.
    public enum Class: String, Sendable, Hashable, CaseIterable {
        /// An image that firmware or a boot loader runs: its Authenticode digest.
        case application
        /// A driver that firmware loads: its Authenticode digest.
        case driver
        /// Code of the firmware, as the firmware measures it.
        case firmware
        /// A file that a boot loader reads: the digest of its bytes, as of the three that follow.
        case file
        /// shim's list of keys or hashes: the digest of the variable's value.
        case mokList = "mok-list"
        /// A section of a unified kernel image; the component's name is the section's, as in `.linux`.
        case section
        /// Who may say what runs: SHA-256 of a certificate's DER bytes.
        case authority
        /// A kernel as a file.
        case kernel
        /// An initial RAM disk as a file.
        case initrd
    }

    /// What the digest is of.
    public let type: Class
    /// The digest.
    public let digest: ReferenceDigest
    /// For people, except for sections: 1 to 128 printable ASCII characters.
    public let name: String
    /// When it counts.
    public let window: ValidityWindow

    /// The most characters of a name.
    public static let maximumNameCount = 128

    /// A component; `nil` for a name that is empty, too long or not printable ASCII, for a section whose name does not begin with a
    /// full stop, and for an authority's digest that is not SHA-256.
    public init?(_ type: Class, _ digest: ReferenceDigest, name: String, window: ValidityWindow = .always) {
        guard (1...Self.maximumNameCount).contains(name.utf8.count),
            name.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        if type == .section, !name.hasPrefix(".") { return nil }
        if type == .authority, digest.algorithm != .sha256 { return nil }
        self.type = type
        self.digest = digest
        self.name = name
        self.window = window
    }

    /// What makes two components the same, whatever their windows are.
    struct Identity: Hashable {
        let type: Class
        let digest: ReferenceDigest
        let name: String
    }
    var identity: Identity { Identity(type: type, digest: digest, name: name) }

    /// The order in which a set is written: by class, name and digest. Names are ASCII, so that comparing strings compares bytes.
    static func precedes(_ left: Self, _ right: Self) -> Bool {
        (left.type.rawValue, left.name, left.digest) < (right.type.rawValue, right.name, right.digest)
    }
}

internal import Cryptography

/// Writes a list as the kernel does: for tests, for demonstrations, and to turn the kernel's other spellings into this one.
public struct IMAListBuilder: Sendable {
    /// The list so far.
    public private(set) var bytes: [UInt8] = []
    /// How many entries it has.
    public private(set) var count = 0
    /// The PCR of the entries that are added.
    public var pcr: Int

    /// A list without entries.
    public init(pcr: Int = 10) { self.pcr = pcr }

    /// Adds an entry of any template but `ima`. The stated digest is the SHA-1 digest of the data, unless another is given.
    public mutating func add(template: String, fields: [[UInt8]], statedDigest: [UInt8]? = nil) {
        var data: [UInt8] = []
        for field in fields { data += Self.prefixed(field) }
        begin(template, statedDigest ?? HashAlgorithm.insecureSHA1.hash(data))
        bytes += Self.prefixed(data)
    }

    /// Adds a file: `ima-ng`, or `ima-sig` when there is a signature field, even an empty one; with a verity digest, or where the template
    /// is named so, `ima-ngv2` and `ima-sigv2`.
    public mutating func addFile(
        _ path: String, _ digest: IMADigest, signature: [UInt8]? = nil, isVersion2: Bool = false
    ) {
        let second = isVersion2 || digest.kind == .verity
        let fields = [Self.digestField(digest, isVersion2: second), Array(path.utf8) + [0]]
        let template = (signature == nil ? "ima-ng" : "ima-sig") + (second ? "v2" : "")
        add(template: template, fields: signature.map { fields + [$0] } ?? fields)
    }

    /// Adds a file of the template `ima`: a SHA-1 digest, and a name of at most 255 bytes.
    public mutating func addLegacyFile(_ path: String, sha1: [UInt8], isViolation: Bool = false) {
        let name = Array(path.utf8.prefix(IMAList.maximumLegacyNameByteCount))
        let padding = [UInt8](repeating: 0, count: IMAList.maximumLegacyNameByteCount + 1 - name.count)
        let digest = HashAlgorithm.insecureSHA1.hash(sha1, name, padding)
        begin("ima", isViolation ? [UInt8](repeating: 0, count: 20) : digest)
        bytes += sha1 + Self.prefixed(name)
    }

    /// Adds a buffer, which the entry holds (`ima-buf`).
    public mutating func addBuffer(_ name: String, _ data: [UInt8]) {
        guard let digest = IMADigest(.buffer, .sha256, HashAlgorithm.sha256.hash(data)) else { return }
        add(template: "ima-buf", fields: [Self.digestField(digest), Array(name.utf8) + [0], data])
    }

    /// Adds a violation: the file changed while it was measured.
    public mutating func addViolation(_ path: String) {
        let zeros = [UInt8](repeating: 0, count: 32)
        let fields = [Array("sha256:".utf8) + [0] + zeros, Array(path.utf8) + [0], []]
        add(template: "ima-sig", fields: fields, statedDigest: Array(zeros.prefix(20)))
    }

    /// The field `d-ng`, or `d-ngv2`, of a digest.
    public static func digestField(_ digest: IMADigest, isVersion2: Bool = false) -> [UInt8] {
        let kind = digest.kind == .verity ? "verity:" : "ima:"
        return Array(((isVersion2 ? kind : "") + digest.algorithm.name + ":").utf8) + [0] + digest.bytes
    }

    private mutating func begin(_ template: String, _ statedDigest: [UInt8]) {
        bytes += Self.number(pcr) + statedDigest
        bytes += Self.prefixed(Array(template.utf8))
        count += 1
    }

    private static func prefixed(_ bytes: [UInt8]) -> [UInt8] { number(bytes.count) + bytes }

    private static func number(_ value: Int) -> [UInt8] {
        let value = UInt32(clamping: value)
        return stride(from: 0, to: 32, by: 8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}

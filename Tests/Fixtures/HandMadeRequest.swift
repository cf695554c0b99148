public import Cryptography

/// DER written by hand, also where it is wrong on purpose. Content is at most 65,535 bytes long.
public enum HandMadeDER {
    /// Identifier, shortest length, content.
    public static func element(_ tag: UInt8, _ parts: [UInt8]...) -> [UInt8] {
        let content = Array(parts.joined())
        if content.count < 0x80 { return [tag, UInt8(content.count)] + content }
        if content.count < 0x100 { return [tag, 0x81, UInt8(content.count)] + content }
        return [tag, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
    }

    /// An object identifier given as dotted numbers.
    public static func objectIdentifier(_ dotted: String) -> [UInt8] {
        let arcs = dotted.split(separator: ".").compactMap { UInt32($0) }
        var content: [UInt8] = []
        for arc in [arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2) {
            var bytes = [UInt8(arc & 0x7F)], rest = arc >> 7
            while rest > 0 {
                bytes.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
                rest >>= 7
            }
            content += bytes
        }
        return element(0x06, content)
    }

    /// An attribute of a name: `tag` is 0x0C for a UTF8String, 0x13 for a PrintableString.
    public static func nameAttribute(_ identifier: String, _ value: String, tag: UInt8 = 0x0C) -> [UInt8] {
        element(0x30, objectIdentifier(identifier), element(tag, Array(value.utf8)))
    }

    /// An extension whose value is `der`.
    public static func certificateExtension(_ identifier: String, _ der: [UInt8], critical: [UInt8] = []) -> [UInt8] {
        element(0x30, objectIdentifier(identifier), critical, element(0x04, der))
    }
}

/// A certificate request of any shape, signed by a key: what no honest tool writes.
public struct HandMadeRequest {
    public var version: [UInt8] = [0x02, 1, 0]
    /// Relative distinguished names, each a set of attributes.
    public var subject: [[[UInt8]]] = []
    /// Extensions, whole; no attribute is written when there are none.
    public var extensions: [[UInt8]] = []
    /// Attributes beside the extensions, whole.
    public var attributes: [[UInt8]] = []
    /// The key, if it is not the signer's as it should be written.
    public var keyInformation: [UInt8]?
    /// The algorithm: ecdsa-with-SHA256.
    public var algorithm = HandMadeDER.element(0x30, HandMadeDER.objectIdentifier("1.2.840.10045.4.3.2"))

    /// A request for these names, each in a set of its own.
    public init(_ subject: [[UInt8]] = []) { self.subject = subject.map { [$0] } }

    /// The whole request.
    public func der(signedBy key: PrivateKey) throws -> [UInt8] {
        let names = subject.map { HandMadeDER.element(0x31, Array($0.joined())) }
        var attributes = attributes
        if !extensions.isEmpty {
            attributes.insert(Self.extensionRequest(extensions), at: 0)
        }
        let information = HandMadeDER.element(
            0x30, version, HandMadeDER.element(0x30, Array(names.joined())),
            try keyInformation ?? key.publicKey.subjectPublicKeyInfo,
            HandMadeDER.element(0xA0, Array(attributes.joined())))
        let signature = try key.ecdsaSignature(over: information, .sha256)
        func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            let significant = Array(bytes.drop { $0 == 0 })
            return HandMadeDER.element(0x02, (significant.first ?? 0x80) >= 0x80 ? [0] + significant : significant)
        }
        let half = signature.count / 2
        let pair = HandMadeDER.element(0x30, integer(signature[..<half]), integer(signature[half...]))
        return HandMadeDER.element(0x30, information, algorithm, HandMadeDER.element(0x03, [0], pair))
    }

    /// The attribute extensionRequest with one set of extensions.
    public static func extensionRequest(_ extensions: [[UInt8]]) -> [UInt8] {
        HandMadeDER.element(
            0x30, HandMadeDER.objectIdentifier("1.2.840.113549.1.9.14"),
            HandMadeDER.element(0x31, HandMadeDER.element(0x30, Array(extensions.joined()))))
    }
}

public import Cryptography
internal import StrictEncoding

/// A JSON Web Signature in compact form (RFC 7515 §3.1), taken apart and not yet believed.
public struct CompactJWS: Sendable {
    /// The ASCII of the header's segment.
    public let headerSegment: ArraySlice<UInt8>
    /// The ASCII of the payload's segment.
    public let payloadSegment: ArraySlice<UInt8>
    /// What the signature covers: both segments and the dot between them.
    public let signingInput: ArraySlice<UInt8>
    /// The signature, decoded.
    public let signature: [UInt8]

    /// Why a text is not one.
    public enum ParseError: Error, Hashable {
        /// A character outside of A-Z a-z 0-9 - _ and the dots.
        case illegalCharacter
        /// Five segments: a JWE, which is never a passport.
        case encrypted
        /// Another number of segments, or an empty one.
        case segments(Int)
        /// The signature is not canonical base64url.
        case signatureEncoding
    }

    /// Splits `token`, which the caller has bounded.
    public init(parsing token: [UInt8]) throws(ParseError) {
        var dots: [Int] = []
        var isLegal = true
        token.withUnsafeBufferPointer { buffer in
            for index in buffer.indices {
                if buffer[index] == UInt8(ascii: ".") {
                    if dots.count < 8 { dots.append(index) }
                } else if !Self.isLegal(buffer[index]) {
                    isLegal = false
                    return
                }
            }
        }
        guard isLegal else { throw .illegalCharacter }
        if dots.count == 4 { throw .encrypted }
        guard dots.count == 2 else { throw .segments(dots.count + 1) }
        headerSegment = token[..<dots[0]]
        payloadSegment = token[(dots[0] + 1)..<dots[1]]
        signingInput = token[..<dots[1]]
        guard !headerSegment.isEmpty, !payloadSegment.isEmpty else { throw .segments(3) }
        guard let signature = Base64URL.decode(token[(dots[1] + 1)...]), !signature.isEmpty else {
            throw .signatureEncoding
        }
        self.signature = signature
    }

    /// Whether the signature is by `key` with ES256 (RFC 7518 §3.4: r ‖ s, 64 bytes).
    public func isSigned(by key: PublicKey) -> Bool {
        key.isValidECDSASignature(fixedWidth: signature, over: signingInput, .sha256)
    }

    @inline(__always)
    private static func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}

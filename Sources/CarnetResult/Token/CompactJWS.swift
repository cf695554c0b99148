public import Cryptography
internal import StrictEncoding

/// A JSON Web Signature in compact form (RFC 7515 §3.1), taken apart and not yet believed.
public struct CompactJWS: Sendable {
    /// The ASCII of the header's segment.
    public let headerSegment: ArraySlice<UInt8>
    /// The ASCII of the payload's segment.
    public let payloadSegment: ArraySlice<UInt8>
    /// The payload, decoded.
    public let payload: [UInt8]
    /// What the signature covers: the first two segments and the dot between them.
    public let signingInput: ArraySlice<UInt8>
    /// The signature, decoded.
    public let signature: [UInt8]

    /// Why a text is not one.
    public enum ParseError: Error, Hashable, CustomStringConvertible {
        /// A character outside of A-Z a-z 0-9 - _ and the dots.
        case illegalCharacter
        /// Five segments: a JWE, which is never a passport.
        case encrypted
        /// Another number of segments, or an empty one.
        case segments(Int)
        /// The payload or the signature is not canonical base64url.
        case encoding

        /// The reason.
        public var description: String {
            switch self {
            case .illegalCharacter: "it has characters that a token never has"
            case .encrypted: "it has five parts: it is an encrypted message, not a token"
            case .segments(let count):
                "it has \(count) \(count == 1 ? "part" : "parts") between dots; a token has three"
            case .encoding: "its payload or signature is not base64url"
            }
        }
    }

    /// Splits `token`, which the caller has bounded.
    public init(parsing token: [UInt8]) throws(ParseError) {
        let dot = UInt8(ascii: ".")
        // Decoding refuses every illegal character, dots among them, so that a good token is read once.
        guard let first = token.firstIndex(of: dot), let last = token.lastIndex(of: dot), first + 1 < last, first > 0,
            token[..<first].allSatisfy(Self.isLegal), let payload = Base64URL.decode(token[(first + 1)..<last]),
            let signature = Base64URL.decode(token[(last + 1)...]), !signature.isEmpty
        else { throw Self.fault(of: token) }
        headerSegment = token[..<first]
        payloadSegment = token[(first + 1)..<last]
        self.payload = payload
        signingInput = token[..<last]
        self.signature = signature
    }

    /// Whether the signature is by `key` with ES256 (RFC 7518 §3.4: r ‖ s, 64 bytes).
    public func isSigned(by key: PublicKey) -> Bool {
        key.isValidECDSASignature(fixedWidth: signature, over: signingInput, .sha256)
    }

    /// What is wrong with a token that could not be split.
    private static func fault(of token: [UInt8]) -> ParseError {
        let dot = UInt8(ascii: ".")
        guard token.allSatisfy({ $0 == dot || isLegal($0) }) else { return .illegalCharacter }
        let segments = token.split(separator: dot, maxSplits: 8, omittingEmptySubsequences: false)
        if segments.count == 5 { return .encrypted }
        guard segments.count == 3, segments.allSatisfy({ !$0.isEmpty }) else { return .segments(segments.count) }
        return .encoding
    }

    private static func isLegal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }
}

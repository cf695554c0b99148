internal import Cryptography

/// The answer to a challenge by the holder of a passport's key, for peers that do not speak HTTP.
///
/// 128 bytes: the key's x and y, then r and s of an ECDSA signature (P-256, SHA-256), each 32 bytes, big-endian. Signed are 149 bytes:
///
///     "carnet/possession/v1" ‖ 00 ‖ challenge ‖ SHA-256(audience) ‖ SHA-256(passport) ‖ SHA-256(channel binding)
///
/// The label's `/` and the zero occur in no JWS, so this is never a DPoP proof, nor a DPoP proof this.
public struct PossessionAnswer: Sendable, Hashable {
    /// The length of a challenge, in bytes.
    public static let challengeByteCount = 32
    /// The length of an answer, in bytes.
    public static let byteCount = 128

    /// The key that answered.
    package let key: JSONWebKey
    private let signature: [UInt8]

    /// Answers a challenge.
    ///
    /// - Parameters:
    ///   - challenge: The server's 32 bytes.
    ///   - audience: The server's own name, as in the passport's `aud`: from configuration, never from the peer.
    ///   - passport: The compact JWS, in ASCII.
    ///   - channelBinding: What names the connection at both ends (RFC 9266 `tls-exporter`); empty where there is nothing.
    ///   - key: The public key to which the passport is bound.
    ///   - sign: Signs a SHA-256 digest and returns r ‖ s, 64 bytes.
    /// - Throws: ``JOSEError/invalidMessage(_:)`` for a challenge or a signature of another length, and what `sign` throws.
    public init(
        to challenge: [UInt8], audience: String, showing passport: [UInt8], channelBinding: [UInt8] = [],
        key: JSONWebKey, sign: (_ digest: [UInt8]) throws -> [UInt8]
    ) throws {
        guard challenge.count == Self.challengeByteCount else {
            throw JOSEError.invalidMessage("the challenge has \(challenge.count) bytes, not \(Self.challengeByteCount)")
        }
        self.key = key
        signature = try sign(
            HashAlgorithm.sha256.hash(Self.message(challenge, audience, passport, channelBinding)))
        guard signature.count == 64 else { throw JOSEError.invalidMessage("the signature has not 64 bytes") }
    }

    /// Reads an answer; nobody has looked yet whether the point lies on the curve.
    ///
    /// - Throws: ``JOSEError/invalidMessage(_:)`` for another length than ``byteCount``.
    public init(parsing bytes: [UInt8]) throws(JOSEError) {
        guard bytes.count == Self.byteCount else {
            throw .invalidMessage("an answer has \(Self.byteCount) bytes; this has \(bytes.count)")
        }
        key = JSONWebKey(uncheckedX: Array(bytes[..<32]), y: Array(bytes[32..<64]))
        signature = Array(bytes[64...])
    }

    /// The 128 bytes.
    public var bytes: [UInt8] { key.x + key.y + signature }

    /// Whether ``key`` signed for these.
    ///
    /// - Parameters:
    ///   - challenge: 32 bytes.
    ///   - passport: The compact JWS, in ASCII.
    /// - Throws: ``JOSEError/invalidKey(_:)`` when the point is not on the curve.
    package func isSigned(
        for challenge: [UInt8], audience: String, passport: [UInt8], channelBinding: [UInt8]
    ) throws(JOSEError) -> Bool {
        guard challenge.count == Self.challengeByteCount else { return false }
        return try key.publicKey().isValidECDSASignature(
            fixedWidth: signature, over: Self.message(challenge, audience, passport, channelBinding), .sha256)
    }

    private static func message(
        _ challenge: [UInt8], _ audience: String, _ passport: [UInt8], _ channelBinding: [UInt8]
    ) -> [UInt8] {
        var message = Array("carnet/possession/v1\u{0}".utf8) + challenge
        for part in [Array(audience.utf8), passport, channelBinding] { message += HashAlgorithm.sha256.hash(part) }
        return message
    }
}

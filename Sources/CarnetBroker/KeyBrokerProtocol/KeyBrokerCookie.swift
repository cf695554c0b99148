import Cryptography
import HTTPTypes
import StrictEncoding

/// A session's cookie, which carries its own question: whoever holds the service's key can tell that it is good, so that asking costs no row
/// in the database and any replica can go on.
///
/// It is 128 random bits, the time at which it ends, and a code over both; the nonce is another code over both. The first attempt to attest
/// uses it up (``KeyBrokerSessions``).
struct KeyBrokerCookie: Sendable, Hashable {
    /// 16 random bytes and the end in seconds since 1970, big-endian, 8 bytes.
    private let body: [UInt8]
    private let code: [UInt8]
    /// What the client's quote has to answer, 32 bytes.
    let nonce: [UInt8]

    static let name = "kbs-session-id"

    /// A new session.
    init(_ key: [UInt8], endingAt end: Int64) {
        self.init(key, body: SecureRandom.bytes(16) + withUnsafeBytes(of: end.bigEndian) { Array($0) })
    }

    private init(_ key: [UInt8], body: [UInt8]) {
        self.body = body
        code = Array(
            HMAC.authenticationCode(.sha256, key: key, Array("carnet/kbs-session/v1\u{0}".utf8), body).prefix(16))
        nonce = HMAC.authenticationCode(.sha256, key: key, Array("carnet/kbs-nonce/v1\u{0}".utf8), body)
    }

    /// The session of a request: exactly one such cookie, made with this key.
    init?(_ headers: HTTPFields, _ key: [UInt8]) {
        let values = headers[values: .cookie].flatMap { $0.split(separator: ";") }.compactMap { pair -> Substring? in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == Self.name else { return nil }
            return parts[1]
        }
        guard values.count == 1, let text = values.first, text.utf8.count == 80,
            let bytes = Hexadecimal.decode(text), text == Hexadecimal.encode(bytes)
        else { return nil }
        self.init(key, body: Array(bytes.prefix(24)))
        guard constantTimeEqual(code, Array(bytes.suffix(16))) else { return nil }
    }

    /// The cookie's value: 80 hexadecimal digits.
    var value: String { Hexadecimal.encode(body + code) }

    /// When the session ends, in seconds since 1970.
    var end: Int64 { body.suffix(8).reduce(0) { $0 << 8 | Int64($1) } }

    /// Under what the session is kept: a digest, so that the database holds no cookie.
    var digest: String { Hexadecimal.encode(HashAlgorithm.sha256.hash(body + code)) }

    /// `Set-Cookie`.
    func field(at now: Int64) -> String {
        "\(Self.name)=\(value); Max-Age=\(max(0, end - now)); HttpOnly; SameSite=Strict"
    }
}

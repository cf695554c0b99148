import Cryptography
import Foundation

/// What receivers know messages by: 32 random bytes, as text `whsec_` and base64.
///
/// Source: Standard Webhooks 1.0.0, "Signature scheme": 24 to 64 bytes, base64, with this prefix.
struct WebhookSecret: Sendable {
    /// The key of the HMAC.
    let key: [UInt8]

    /// A fresh one.
    init() { key = SecureRandom.bytes(32) }

    /// A key from the database.
    init(key: [UInt8]) { self.key = key }

    /// The text that is shown once.
    var text: String { "whsec_" + Data(key).base64EncodedString() }
}

/// The header fields by which a receiver knows who sent a message, when, and whether it had it before.
///
/// Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
enum WebhookSignature {
    /// `webhook-signature`: `v1,` and HMAC-SHA256 over `id.timestamp.body` in base64, once for each key, with blanks between.
    ///
    /// - Parameters:
    ///   - id: The message's identifier: without full stops, so that what is signed can be read in one way only.
    ///   - timestamp: When it is sent, in seconds since 1970.
    static func value(id: String, timestamp: Int64, body: [UInt8], keys: [[UInt8]]) -> String {
        let content = Array("\(id).\(timestamp).".utf8) + body
        return keys.map { key in
            "v1," + Data(HMAC.authenticationCode(.sha256, key: key, content)).base64EncodedString()
        }.joined(separator: " ")
    }
}

internal import CarnetResult
internal import Cryptography
internal import StrictEncoding

/// Challenges for peers that do not speak HTTP. Giving one costs no memory; answers are remembered until their challenge is too old.
///
/// A challenge is 32 bytes: five of seconds since 1970, eleven at random, and the first sixteen of an HMAC-SHA-256 over both.
/// Replicas may share the key; then each remembers what it accepted itself, so bind the answer to the connection, or let a challenge be
/// answered where it was given.
public struct PossessionChallenges: Sendable {
    /// How long a challenge can be answered, in seconds: 1 to 600.
    public let lifetime: Int64
    private let key: [UInt8]
    private let answered: ReplayCache
    private static let label = Array("carnet/possession-challenge/v1\u{0}".utf8)

    /// Challenges under a key of this process alone.
    ///
    /// - Parameter capacity: How many answers are remembered at once; no one key gets more than half of them.
    public init(lifetime: Int64 = 60, capacity: Int = 100_000) {
        self.init(secret: SecureRandom.bytes(32), lifetime, capacity)
    }

    /// Challenges under a key that replicas share.
    ///
    /// - Parameter key: At least 32 secret bytes that are used for nothing else.
    /// - Throws: ``CarnetResult/JOSEError/invalidKey(_:)`` for a shorter one.
    public init(sharedKey key: [UInt8], lifetime: Int64 = 60, capacity: Int = 100_000) throws(JOSEError) {
        guard key.count >= 32 else { throw .invalidKey("a key for challenges has at least 32 bytes") }
        self.init(secret: key, lifetime, capacity)
    }

    private init(secret: [UInt8], _ lifetime: Int64, _ capacity: Int) {
        key = secret
        self.lifetime = min(max(lifetime, 1), 600)
        // An answer counts while 0 ≤ now - issued ≤ lifetime, so `lifetime + 1` seconds.
        answered = ReplayCache(capacity: capacity, span: self.lifetime + 1)
    }

    /// A new challenge, 32 bytes.
    ///
    /// - Parameter now: Seconds since 1970.
    public func issue(at now: Int64) -> [UInt8] {
        let now = PassportVerifier.bounded(now)
        let time = stride(from: 32, through: 0, by: -8).map { UInt8(truncatingIfNeeded: now >> Int64($0)) }
        let body = time + SecureRandom.bytes(11)
        return body + seal(body)
    }

    /// Whether this key made the challenge, and how old it is.
    func age(of challenge: [UInt8], at now: Int64) -> Int64? {
        guard challenge.count == PossessionAnswer.challengeByteCount else { return nil }
        let body = Array(challenge[..<16])
        guard constantTimeEqual(seal(body), Array(challenge[16...])) else { return nil }
        return now - body[..<5].reduce(Int64(0)) { $0 << 8 | Int64($1) }
    }

    /// Uses up a challenge, whoever answered it.
    ///
    /// - Parameter age: How old it is, in seconds.
    func use(_ challenge: [UInt8], aged age: Int64, by holder: TokenDigest, at now: Int64) -> ReplayCache.Answer {
        answered.remember(TokenDigest(of: challenge), madeAt: now - age, of: holder, at: now)
    }

    private func seal(_ body: [UInt8]) -> [UInt8] {
        Array(HMAC.authenticationCode(.sha256, key: key, Self.label, body).prefix(16))
    }
}

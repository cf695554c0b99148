internal import CarnetResult
internal import Cryptography
internal import StrictEncoding

/// The nonces that a server gives for proofs (RFC 9449 §8 and §9): computed from a key and the time, so that nothing is remembered.
///
/// The nonce of a period is the HMAC-SHA-256 of its number, and counts in its own period and in the next. It is the same for every caller:
/// that a proof is used once is the replay memory's work; a nonce says that it was not signed before. Replicas that share the key
/// accept one another's nonces; where their clocks differ by more than a period, a caller is sent back once with a new one.
public struct ProofNonces: Sendable {
    /// How long a nonce is given out, in seconds: 1 to 600. It is accepted for as long again.
    public let period: Int64
    private let key: [UInt8]
    private static let label = Array("carnet/dpop-nonce/v1\u{0}".utf8)

    /// Nonces under a key of this process alone.
    public init(period: Int64 = 60) { self.init(randomKey: SecureRandom.bytes(32), period: period) }

    /// Nonces under a key that replicas share.
    ///
    /// - Parameter key: At least 32 secret bytes that are used for nothing else.
    /// - Throws: ``CarnetResult/JOSEError/invalidKey(_:)`` for a shorter one.
    public init(sharedKey key: [UInt8], period: Int64 = 60) throws(JOSEError) {
        guard key.count >= 32 else { throw .invalidKey("a key for nonces has at least 32 bytes") }
        self.init(randomKey: key, period: period)
    }

    private init(randomKey key: [UInt8], period: Int64) {
        self.key = key
        self.period = min(max(period, 1), 600)
    }

    /// What to put into `DPoP-Nonce` at a time in seconds since 1970: 43 characters.
    public func current(at now: Int64) -> String { nonce(PassportVerifier.bounded(now) / period) }

    /// Whether a nonce is of this period or of the one before, in a time that depends on its length only.
    func accepts(_ nonce: String, at now: Int64) -> Bool {
        let number = PassportVerifier.bounded(now) / period, found = Array(nonce.utf8)
        let isCurrent = constantTimeEqual(found, Array(self.nonce(number).utf8))
        let isPrevious = constantTimeEqual(found, Array(self.nonce(number - 1).utf8))
        return isCurrent || isPrevious
    }

    private func nonce(_ number: Int64) -> String {
        var message = Self.label
        for value in [period, number] {
            for shift in stride(from: 56, through: 0, by: -8) {
                message.append(UInt8(truncatingIfNeeded: value >> Int64(shift)))
            }
        }
        return Base64URL.encode(HMAC.authenticationCode(.sha256, key: key, message))
    }
}

/// Which nonce a proof must have.
enum DemandedNonce {
    case none
    case exactly(String)
    case recent(ProofNonces)

    /// Whether the proof's nonce, or its absence, is right.
    func isMet(by found: String?, at now: Int64) -> Bool {
        switch self {
        case .none: true
        case .exactly(let nonce): found.map { constantTimeEqual(Array($0.utf8), Array(nonce.utf8)) } ?? false
        case .recent(let nonces): found.map { nonces.accepts($0, at: now) } ?? false
        }
    }

    /// What a refusal gives the caller for its next try.
    func fresh(at now: Int64) -> String? {
        if case .recent(let nonces) = self { return nonces.current(at: now) }
        return nil
    }
}

import Cryptography

/// What a ledger row consumes: a digest of the nonce, so that the ledger holds none.
enum ChallengeDigest {
    /// Of the verifier's own nonce.
    static func session(_ nonce: [UInt8]) -> [UInt8] {
        HashAlgorithm.sha256.hash(Array("carnet/session-challenge/v1\u{0}".utf8), nonce)
    }

    /// Of the verifier's own nonce, for the note that its session was removed.
    static func removedSession(_ nonce: [UInt8]) -> [UInt8] {
        HashAlgorithm.sha256.hash(Array("carnet/removed-session/v1\u{0}".utf8), nonce)
    }

    /// Of a relying party's nonce: each relying party's nonces are its own.
    static func backgroundCheck(_ nonce: [UInt8], relyingParty: String) -> [UInt8] {
        let name = HashAlgorithm.sha256.hash(Array(relyingParty.utf8))
        return HashAlgorithm.sha256.hash(Array("carnet/background-challenge/v1\u{0}".utf8), name, nonce)
    }
}

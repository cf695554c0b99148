import CarnetEvidence
import Fixtures
import Cryptography
import CarnetTesting
import StrictEncoding
import TPM2
import Testing

@Suite("Session ids that carry their challenge (security check 8)")
struct SessionSealTests {
    let seal = SessionSeal(key: [UInt8](repeating: 1, count: 32))
    let challenge: Challenge

    init() throws {
        let key = try ForgedMachine().area.name
        challenge = Challenge(
            nonce: [UInt8](repeating: 9, count: 32),
            selection: TPM.PCRSelectionList([
                TPM.PCRSelection(bank: .sha256, indices: [0, 7]), TPM.PCRSelection(bank: .sha384, indices: [4]),
            ]), attestationKey: key, requesterNonce: [UInt8](repeating: 3, count: 64), expiresAt: 1_795_219_200)
    }

    @Test("What was sealed is opened, with and without its optional parts")
    func roundTrip() throws {
        let open = Challenge(nonce: challenge.nonce, selection: challenge.selection, expiresAt: challenge.expiresAt)
        for challenge in [challenge, open] {
            let session = seal.seal(challenge)
            #expect(try seal.open(session, at: 0) == challenge)
            #expect(session.utf8.count < 400)
        }
    }

    @Test("It ends at its time, not a second later")
    func expiry() throws {
        let session = seal.seal(challenge)
        #expect(try seal.open(session, at: challenge.expiresAt - 1) == challenge)
        for time in [challenge.expiresAt, challenge.expiresAt + 1, .max] {
            #expect(throws: SessionSeal.OpenError.expired) { try seal.open(session, at: time) }
        }
    }

    @Test("No bit can be turned, nothing cut off or added, and another key opens nothing")
    func tampering() throws {
        let bytes = try #require(Base64URL.decode(seal.seal(challenge)))
        func opens(_ bytes: [UInt8]) -> Bool { (try? seal.open(Base64URL.encode(bytes), at: 0)) != nil }
        #expect(opens(bytes))
        for bit in 0..<(bytes.count * 8) { #expect(!opens(bytes.flipping(bit: bit)), "bit \(bit)") }
        for count in bytes.indices { #expect(!opens(Array(bytes.prefix(count)))) }
        #expect(!opens(bytes + [0]))
        let other = SessionSeal(key: [UInt8](repeating: 2, count: 32))
        #expect(throws: SessionSeal.OpenError.unknown) { try other.open(seal.seal(challenge), at: 0) }
    }

    @Test(
        "Whatever else comes as a session id is unknown",
        arguments: [
            "", "A", "session/1", "../../etc/passwd", "%00", String(repeating: "A", count: 2000), "ÄÖÜ", "====",
        ])
    func garbage(session: String) {
        #expect(throws: SessionSeal.OpenError.unknown) { try seal.open(session, at: 0) }
    }

    @Test("The authentication code is bound to its purpose")
    func purpose() throws {
        let bytes = try #require(Base64URL.decode(seal.seal(challenge)))
        let payload = Array(bytes.dropLast(32))
        let bare = HMAC.authenticationCode(.sha256, key: [UInt8](repeating: 1, count: 32), payload)
        #expect(throws: SessionSeal.OpenError.unknown) { try seal.open(Base64URL.encode(payload + bare), at: 0) }
    }

    @Test("8: challenges that differ in one part have different ids and different qualifying data")
    func distinct() {
        let other = Challenge(
            nonce: challenge.nonce.flipping(bit: 7), selection: challenge.selection,
            attestationKey: challenge.attestationKey, requesterNonce: challenge.requesterNonce,
            expiresAt: challenge.expiresAt)
        #expect(seal.seal(challenge) != seal.seal(other))
        #expect(
            QualifyingData.ofQuote(nonce: challenge.nonce, bound: [1])
                != QualifyingData.ofQuote(nonce: other.nonce, bound: [1]))
    }

    @Test("The qualifying data is the digest that the protocol states")
    func qualifyingData() {
        let bound = Array("{}".utf8)
        let inner = HashAlgorithm.sha256.hash(bound)
        let quote = HashAlgorithm.sha256.hash(Array("carnet/quote/v1\u{0}".utf8) + challenge.nonce + inner)
        let certify = HashAlgorithm.sha256.hash(Array("carnet/certify/v1\u{0}".utf8) + challenge.nonce + inner)
        #expect(QualifyingData.ofQuote(nonce: challenge.nonce, bound: bound) == quote)
        #expect(QualifyingData.ofCertification(nonce: challenge.nonce, bound: bound) == certify)
        #expect(quote != certify)
    }
}

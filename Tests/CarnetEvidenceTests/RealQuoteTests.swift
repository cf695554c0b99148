@testable import CarnetEvidence
import Cryptography
import CarnetTesting
import Fixtures
import StrictEncoding
import TPM2
import Testing

@Suite(
    "Quotes of machines that really booted",
    .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
struct RealQuoteTests {
    /// A folder of fixtures, and the quote in it.
    struct Quote: CustomStringConvertible {
        let folder: String
        let name: String
        var key: String { name == "quote_ecc" ? "ak_ecc" : "ak" }
        var description: String { "\(folder)/\(name)" }
    }

    static let quotes = ["direct", "grub-sb", "uki", "uki-sb", "uki-cmdline", "uki-violation", "uki-sha256"].flatMap {
        folder in ["quote", "quote_ecc"].map { Quote(folder: folder, name: $0) }
    }

    static func area(_ path: String) throws -> TPM.Public {
        try TPM.Public(parsing: Array(SharedFixtures.bytes(path).dropFirst(2)))
    }

    /// The real quote in an envelope with the values that tpm2-tools read, and a key bound in software.
    static func evidence(_ quote: Quote, _ bank: TPM.AlgorithmID = .sha256) throws -> (Evidence, AttestationKey) {
        let folder = "fixtures/measured-boot/\(quote.folder)/"
        let area = try area(folder + quote.key + ".pub")
        let parent = try TPM.Name(parsing: SharedFixtures.bytes(folder + "ek.name"))
        let key = try AttestationKey(checking: area, endorsementKey: parent)
        let point = try PrivateKey.generate().publicKey.coordinates
        let signed = Evidence.Signed(
            attest: try SharedFixtures.bytes(folder + quote.name + ".msg"),
            signature: try SharedFixtures.bytes(folder + quote.name + ".sig"))
        let attest = try TPM.Attest(parsing: signed.attest)
        guard case .quote(let info) = attest.attested else { throw Unexpected() }
        let values = try RealPCRs.values(folder + "pcrs.yaml")
        var pcrs: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        for selection in info.selection.selections {
            pcrs[selection.bank] = values[selection.bank, default: [:]].filter { selection.indices.contains($0.key) }
        }
        return (
            Evidence(
                attestationKey: area.name, quote: signed, pcrs: pcrs,
                eventLog: try SharedFixtures.bytes(folder + "eventlog.bin"),
                bound: BoundKeys.encode(confirmation: point, encryption: nil), keyAttestation: nil,
                encryptionKeyAttestation: nil), key
        )
    }

    struct Unexpected: Error {}

    static func challenge(_ evidence: Evidence) throws -> (Challenge, nonce: [UInt8]) {
        let attest = try TPM.Attest(parsing: evidence.quote.attest)
        guard case .quote(let info) = attest.attested else { throw Unexpected() }
        return (Challenge(nonce: attest.extraData, selection: info.selection, expiresAt: 1), attest.extraData)
    }

    @Test("They authenticate with the nonce that they were made for", arguments: quotes)
    func authentic(quote: Quote) throws {
        let (evidence, key) = try Self.evidence(quote)
        let nonce = try #require(
            Hexadecimal.decode(
                String(
                    decoding: SharedFixtures.bytes("fixtures/measured-boot/\(quote.folder)/nonce.hex"), as: UTF8.self
                ).filter(\.isHexDigit)))
        let (challenge, _) = try Self.challenge(evidence)
        let outcome = try UnverifiedQuote(evidence)
            .authenticate(by: key, answering: challenge, after: nil, expecting: nonce)
        let authentic = try outcome.accepted()
        #expect(authentic.pcrs.value(ofPCR: 0, in: .sha256)?.count == 32 && authentic.counters.resetCount > 0)
    }

    @Test("The plain nonce is not Carnet's qualifying data: they are signed, and do not answer", arguments: quotes)
    func stale(quote: Quote) throws {
        let (evidence, key) = try Self.evidence(quote)
        let (challenge, _) = try Self.challenge(evidence)
        let outcome = try UnverifiedQuote(evidence).authenticate(by: key, answering: challenge, after: nil)
        #expect(outcome.brokenRule == "nonce")
    }

    @Test("One machine's quote is not another's, nor another boot's")
    func exchanged() throws {
        let (evidence, _) = try Self.evidence(Self.quotes[0])
        let (_, other) = try Self.evidence(Self.quotes[2])
        let (challenge, nonce) = try Self.challenge(evidence)
        let outcome = try UnverifiedQuote(evidence)
            .authenticate(by: other, answering: challenge, after: nil, expecting: nonce)
        #expect(outcome.brokenRule == "attestation-key")
        let (own, key) = try Self.evidence(Self.quotes[0])
        let wrong = try UnverifiedQuote(own)
            .authenticate(by: key, answering: challenge, after: nil, expecting: nonce.flipping(bit: 0))
        #expect(wrong.brokenRule == "nonce")
    }

    @Test("A quote over several banks holds for those that prove something: SHA-1 among them is refused")
    func banks() throws {
        let (evidence, key) = try Self.evidence(Quote(folder: "uki", name: "quote_multi"))
        let (challenge, nonce) = try Self.challenge(evidence)
        let outcome = try UnverifiedQuote(evidence)
            .authenticate(by: key, answering: challenge, after: nil, expecting: nonce)
        let hasSHA1 = challenge.selection.selections.contains { $0.bank == .sha1 }
        #expect(outcome.brokenRule == (hasSHA1 ? "pcr-bank" : nil))
        let (larger, sameKey) = try Self.evidence(Quote(folder: "uki", name: "quote_s384"))
        let (second, secondNonce) = try Self.challenge(larger)
        _ = try UnverifiedQuote(larger)
            .authenticate(by: sameKey, answering: second, after: nil, expecting: secondNonce).accepted()
    }
}

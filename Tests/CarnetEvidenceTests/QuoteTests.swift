import CarnetEvidence
import Fixtures
import Cryptography
import CarnetTesting
import TPM2
import Testing

@Suite("Authentication of a quote (security checks 3.1, 3.3, 3.4)")
struct QuoteTests {
    let machine: ForgedMachine

    init() throws { machine = try ForgedMachine() }

    @Test("An honest quote is authentic, and gives what was signed")
    func honest() throws {
        let challenge = machine.challenge()
        let quote = try machine.authenticate(challenge).accepted()
        #expect(quote.attestationKey == machine.area.name && quote.nonce == challenge.nonce && quote.isNewBoot)
        #expect(quote.counters == BootCounters(resetCount: 7, restartCount: 0, clock: 1500))
        #expect(quote.firmwareVersion == 0x2022_0101_0000_0001 && quote.eventLog == machine.log)
        #expect(quote.pcrs.banks == [.sha256] && quote.pcrs.selection == challenge.selection)
        for pcr in [0, 1, 4, 7] {
            #expect(quote.pcrs.value(ofPCR: pcr, in: .sha256) == machine.registers[.sha256]?[pcr])
        }
        #expect(quote.pcrs.value(ofPCR: 2, in: .sha256) == nil && quote.pcrs.value(ofPCR: 0, in: .sha384) == nil)
    }

    @Test(
        "Every curve and hash that an attestation key may have",
        arguments: [(EllipticCurve.p256, HashAlgorithm.sha256), (.p384, .sha384), (.p521, .sha512), (.p256, .sha512)])
    func algorithms(curve: EllipticCurve, hash: HashAlgorithm) throws {
        let machine = try ForgedMachine(curve, hash)
        _ = try machine.authenticate(machine.challenge()).accepted()
    }

    @Test("1: bytes after the structures, and structures cut short, cannot be read")
    func exactBytes() throws {
        let challenge = machine.challenge()
        let evidence = try machine.evidence(challenge) { $0.quote.trailingBytes = [0] }
        #expect(throws: EvidenceError("quote.attest", "1 bytes are left over after the structure")) {
            try UnverifiedQuote(evidence)
        }
        let good = try machine.evidence(challenge)
        for (attest, signature) in [
            (Array(good.quote.attest.dropLast()), good.quote.signature),
            (good.quote.attest, Array(good.quote.signature.dropLast())),
            (good.quote.attest, good.quote.signature + [0]), ([], good.quote.signature), (good.quote.attest, []),
        ] {
            let quote = Evidence.Signed(attest: attest, signature: signature)
            #expect(throws: EvidenceError.self) { try UnverifiedQuote(good.replacing(quote: quote)) }
        }
    }

    @Test("2: a structure that no TPM generated is not read, however well it is signed")
    func magic() throws {
        let evidence = try machine.evidence(machine.challenge()) { $0.quote.magic = 0xFF54_4346 }
        #expect { try UnverifiedQuote(evidence) } throws: { ($0 as? EvidenceError)?.member == "quote.attest" }
    }

    @Test("3: a certification is not a quote, though the same key signed it over the same data")
    func type() throws {
        let outcome = try machine.authenticate(machine.challenge()) {
            $0.quote.type = ForgedAttestation.certify
            $0.quote.attested = machine.area.name.bytes.sized + machine.area.name.bytes.sized
        }
        #expect(outcome.brokenRule == "attestation-type")
        let other = try machine.evidence(machine.challenge()) { $0.quote.type = 0x8019 }
        #expect(throws: EvidenceError.self) { try UnverifiedQuote(other) }
    }

    @Test("4: the hash and the scheme are the key's, never the signature's")
    func scheme() throws {
        let challenge = machine.challenge()
        for (signed, stated) in [(HashAlgorithm.sha512, HashAlgorithm.sha512), (.sha256, .sha384), (.sha384, .sha256)] {
            let outcome = try machine.authenticate(challenge) {
                $0.hash = signed
                $0.statedHash = stated
            }
            #expect(outcome.brokenRule == "quote-signature", "\(signed), stated as \(stated)")
        }
        let sha1 = try machine.authenticate(challenge) { $0.statedHash = .insecureSHA1 }
        #expect(sha1.brokenRule == "quote-signature")
        let good = try machine.evidence(challenge)
        let rsa = TPM.Signature.rsassa(hash: .sha256, signature: [UInt8](repeating: 1, count: 256)).bytes
        let evidence = good.replacing(quote: .init(attest: good.quote.attest, signature: rsa))
        let outcome = try UnverifiedQuote(evidence).authenticate(by: machine.key, answering: challenge, after: nil)
        #expect(outcome.brokenRule == "quote-signature")
    }

    @Test("5: r and s are between 1 and the order of the curve")
    func range() throws {
        let challenge = machine.challenge(), good = try machine.evidence(challenge)
        guard case .ecdsa(_, let r, let s) = try TPM.Signature(parsing: good.quote.signature) else {
            return #expect(Bool(false), "no ECDSA signature")
        }
        let zero = [UInt8](repeating: 0, count: 32), ones = [UInt8](repeating: 0xFF, count: 32)
        for (r, s) in [(zero, s), (r, zero), (ones, s), (r, ones), ([], s), (r, []), (zero, zero), (s, r)] {
            let signature = TPM.Signature.ecdsa(hash: .sha256, r: r, s: s).bytes
            let evidence = good.replacing(quote: .init(attest: good.quote.attest, signature: signature))
            let outcome = try UnverifiedQuote(evidence).authenticate(by: machine.key, answering: challenge, after: nil)
            #expect(outcome.brokenRule == "quote-signature")
        }
    }

    @Test("6: the signer is in the endorsement hierarchy, as a primary key or under this endorsement key")
    func hierarchy() throws {
        let challenge = machine.challenge(), name = machine.area.name
        let stranger = try ForgedMachine().endorsementArea.name.qualified(under: .endorsement)
        for signer in [
            name.qualified(under: .owner).bytes, name.qualified(under: .platform).bytes,
            name.qualified(under: .null).bytes, name.qualified(under: stranger.bytes).bytes, name.bytes, [],
        ] {
            let outcome = try machine.authenticate(challenge) { $0.quote.qualifiedSigner = signer }
            #expect(outcome.brokenRule == "attestation-key-hierarchy")
        }
        _ = try machine.authenticate(challenge) {
            $0.quote.qualifiedSigner = name.qualified(under: .endorsement).bytes
        }.accepted()
    }

    @Test("The key is the one of the name, and the one that was challenged")
    func identity() throws {
        let challenge = machine.challenge(), other = try ForgedMachine()
        #expect(try machine.authenticate(challenge) { $0.name = other.area.name }.brokenRule == "attestation-key")
        #expect(
            try machine.authenticate(challenge) { $0.signer = other.attestationKey }.brokenRule == "quote-signature")
        let evidence = try UnverifiedQuote(machine.evidence(challenge))
        let key = try other.key
        #expect(evidence.authenticate(by: key, answering: challenge, after: nil).brokenRule == "attestation-key")
        let foreign = Challenge(
            nonce: challenge.nonce, selection: challenge.selection, attestationKey: other.area.name, expiresAt: 1)
        let own = try machine.key
        #expect(evidence.authenticate(by: own, answering: foreign, after: nil).brokenRule == "attestation-key")
        let open = Challenge(nonce: challenge.nonce, selection: challenge.selection, expiresAt: 1)
        #expect(evidence.authenticate(by: own, answering: open, after: nil).brokenRule == nil)
    }

    @Test("7 and 8: the qualifying data has one interpretation: this nonce, these keys, this purpose")
    func freshness() throws {
        let challenge = machine.challenge(), good = try machine.evidence(challenge)
        let expected = QualifyingData.ofQuote(nonce: challenge.nonce, bound: good.bound)
        for data in [
            challenge.nonce, expected + [0], Array(expected.dropLast()), [], expected.flipping(bit: 255),
            QualifyingData.ofCertification(nonce: challenge.nonce, bound: good.bound),
            QualifyingData.ofQuote(nonce: challenge.nonce, bound: []),
            QualifyingData.ofQuote(nonce: challenge.nonce.flipping(bit: 0), bound: good.bound),
        ] {
            #expect(try machine.authenticate(challenge) { $0.quote.extraData = data }.brokenRule == "nonce")
        }
        let later = machine.challenge(nonce: [UInt8](repeating: 0x5A, count: 32))
        let replayed = try UnverifiedQuote(good).authenticate(by: machine.key, answering: later, after: nil)
        #expect(replayed.brokenRule == "nonce")
    }

    @Test("The keys that are bound are hashed as sent: one more space is another binding")
    func binding() throws {
        let outcome = try machine.authenticate(machine.challenge()) { $0.bound += [0x20] }
        #expect(outcome.brokenRule == "nonce")
    }
}

extension Evidence {
    /// The same evidence with another quote.
    func replacing(quote: Signed) -> Evidence {
        Evidence(
            attestationKey: attestationKey, quote: quote, pcrs: pcrs, eventLog: eventLog, bound: bound,
            keyAttestation: keyAttestation, encryptionKeyAttestation: encryptionKeyAttestation)
    }
}

import CarnetEvidence
import Fixtures
import CarnetTesting
import TPM2
import Testing

@Suite("No single bit can be turned")
struct BitFlipTests {
    let machine: ForgedMachine
    let challenge: Challenge
    let good: Evidence

    init() throws {
        machine = try ForgedMachine()
        challenge = machine.challenge()
        good = try machine.evidence(challenge)
    }

    /// Whether evidence is accepted; what cannot be read is not.
    private func accepts(_ evidence: Evidence, _ key: AttestationKey) -> Bool {
        guard let quote = try? UnverifiedQuote(evidence) else { return false }
        if case .authentic = quote.authenticate(by: key, answering: challenge, after: nil) { return true }
        return false
    }

    @Test("of the quote or of its signature")
    func quote() throws {
        let key = try machine.key
        #expect(accepts(good, key))
        for bit in 0..<(good.quote.attest.count * 8) {
            let quote = Evidence.Signed(
                attest: good.quote.attest.flipping(bit: bit), signature: good.quote.signature)
            #expect(!accepts(good.replacing(quote: quote), key), "bit \(bit) of the quote")
        }
        for bit in 0..<(good.quote.signature.count * 8) {
            let quote = Evidence.Signed(
                attest: good.quote.attest, signature: good.quote.signature.flipping(bit: bit))
            #expect(!accepts(good.replacing(quote: quote), key), "bit \(bit) of the signature")
        }
    }

    @Test("of the attestation key, though the evidence names the changed key")
    func attestationKey() throws {
        for bit in 0..<(machine.area.bytes.count * 8) {
            guard let area = try? TPM.Public(parsing: machine.area.bytes.flipping(bit: bit)),
                let key = try? AttestationKey(checking: area, endorsementKey: machine.endorsementArea.name)
            else { continue }
            let open = Challenge(nonce: challenge.nonce, selection: challenge.selection, expiresAt: 1)
            let evidence = try machine.evidence(open) { $0.name = area.name }
            let outcome = try UnverifiedQuote(evidence).authenticate(by: key, answering: open, after: nil)
            #expect(outcome.brokenRule != nil, "bit \(bit) of the attestation key")
        }
    }

    @Test("of the bound keys, their public areas, certifications or signatures")
    func keys() throws {
        let key = try machine.key
        let proof = try #require(good.keyAttestation)
        func accepts(_ bound: [UInt8], _ area: [UInt8], _ certify: [UInt8], _ signature: [UInt8]) -> Bool {
            let proof = Evidence.KeyAttestation(
                publicArea: area, certification: .init(attest: certify, signature: signature))
            return self.accepts(
                Evidence(
                    attestationKey: good.attestationKey, quote: good.quote, pcrs: good.pcrs, eventLog: nil,
                    bound: bound, keyAttestation: proof, encryptionKeyAttestation: good.encryptionKeyAttestation), key)
        }
        let parts = [good.bound, proof.publicArea, proof.certification.attest, proof.certification.signature]
        #expect(accepts(parts[0], parts[1], parts[2], parts[3]))
        for part in parts.indices {
            for bit in 0..<(parts[part].count * 8) {
                var changed = parts
                changed[part] = parts[part].flipping(bit: bit)
                #expect(!accepts(changed[0], changed[1], changed[2], changed[3]), "bit \(bit) of part \(part)")
            }
        }
    }

    @Test("of a PCR's value")
    func values() throws {
        let key = try machine.key
        for (pcr, value) in try #require(good.pcrs[.sha256]) {
            for bit in 0..<(value.count * 8) {
                var pcrs = good.pcrs
                pcrs[.sha256]?[pcr] = value.flipping(bit: bit)
                let evidence = Evidence(
                    attestationKey: good.attestationKey, quote: good.quote, pcrs: pcrs, eventLog: nil,
                    bound: good.bound, keyAttestation: nil, encryptionKeyAttestation: nil)
                #expect(!accepts(evidence, key))
            }
        }
    }
}

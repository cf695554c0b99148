import CarnetEvidence
import CarnetTesting
import Cryptography
import TPM2
import Testing

/// Numbers in comments are those of the checks in the threat model's sources: parse and signature 1–8, PCRs 18–24, clock 26.
@Suite("Authenticating quotes")
struct AuthenticationTests {
    let forge: EvidenceForge
    let challenge = Challenge(
        nonce: [UInt8](repeating: 9, count: 32), selection: TPM.PCRSelectionList(bank: .sha256, indices: [0, 4, 7]),
        expiresAt: 2_000_000_000)
    let pcrs: [TPM.AlgorithmID: [Int: [UInt8]]] = [
        .sha256: [0: Self.value(1), 4: Self.value(2), 7: Self.value(3)]
    ]

    static func value(_ byte: UInt8, count: Int = 32) -> [UInt8] { [UInt8](repeating: byte, count: count) }

    init() throws { forge = try EvidenceForge() }

    private func authenticate(
        _ evidence: Evidence, challenge: Challenge? = nil, after previous: BootCounters? = nil
    ) throws -> Authentication {
        try UnverifiedQuote(evidence).authenticate(
            by: forge.key(), answering: challenge ?? self.challenge, after: previous)
    }

    /// The rule that evidence of a spoiled recipe breaks; `nil` when it is accepted, `unreadable` when it cannot be read.
    private func broken(
        after previous: BootCounters? = nil, challenge: Challenge? = nil,
        _ spoil: (inout EvidenceForge.Recipe) throws -> Void
    ) throws -> String? {
        var recipe = EvidenceForge.Recipe()
        try spoil(&recipe)
        let evidence = try forge.evidence(self.challenge, pcrs: pcrs, recipe)
        do {
            switch try authenticate(evidence, challenge: challenge, after: previous) {
            case .authentic: return nil
            case .broken(let findings):
                #expect(
                    findings.count == 1 && findings[0].family == .brokenEvidenceChain && !findings[0].remedy.isEmpty)
                return findings.first?.rule
            }
        } catch is EvidenceError {
            return "unreadable"
        }
    }

    @Test("Good evidence is authentic, and says what was signed")
    func good() throws {
        guard case .authentic(let quote) = try authenticate(forge.evidence(challenge, pcrs: pcrs)) else {
            return #expect(Bool(false), "not authentic")
        }
        #expect(quote.pcrs.value(ofPCR: 4, in: .sha256) == Self.value(2))
        #expect(quote.pcrs.value(ofPCR: 5, in: .sha256) == nil && quote.pcrs.banks == [.sha256])
        #expect(quote.keys.confirmation.isInTPM && quote.keys.encryption?.isInTPM == true)
        #expect(quote.keys.confirmation.key == forge.passportKey.publicKey)
        #expect(quote.counters.resetCount == 3 && quote.isNewBoot && quote.nonce == challenge.nonce)
    }

    @Test("Nothing but a quote by this key, in its scheme, is accepted")
    func signature() throws {
        #expect(try broken { $0.magic = 0xFF54_4348 } == "unreadable")  // 2
        #expect(try broken { $0.type = 0x8017 } == "attestation-type")  // 3
        #expect(try broken { $0.type = 0x8019 } == "unreadable")
        #expect(try broken { $0.trailing = [0] } == "unreadable")  // 1
        #expect(try broken { $0.signer = try PrivateKey.generate() } == "quote-signature")  // foreign AK
        #expect(try broken { $0.signatureHash = .sha384 } == "quote-signature")  // 4
        #expect(try broken { $0.signatureHash = .insecureSHA1 } == "quote-signature")
        #expect(try broken { $0.hierarchy = .owner } == "attestation-key-hierarchy")  // 6
        var foreign = challenge
        foreign = Challenge(
            nonce: challenge.nonce, selection: challenge.selection, attestationKey: EvidenceForge.endorsementName,
            expiresAt: challenge.expiresAt)
        #expect(try broken(challenge: foreign) { _ in } == "attestation-key")
    }

    @Test("Another nonce, or other keys than were bound, is a quote for something else")
    func freshness() throws {
        let other = Challenge(nonce: [UInt8](repeating: 8, count: 32), selection: challenge.selection, expiresAt: 0)
        #expect(try broken(challenge: other) { _ in } == "nonce")  // 7
        #expect(try broken { $0.qualifyingData = [] } == "nonce")
        #expect(
            try broken { $0.qualifyingData = self.challenge.nonce } == "nonce", "the raw nonce is no second spelling")
        let good = try forge.evidence(challenge, pcrs: pcrs)
        let stranger = try PrivateKey.generate().publicKey.point ?? ([], [])
        let rebound = Evidence(
            attestationKey: good.attestationKey, quote: good.quote, pcrs: good.pcrs, eventLog: nil,
            bound: BoundKeys.encode(confirmation: stranger, encryption: nil), keyAttestation: nil,
            encryptionKeyAttestation: nil)
        guard case .broken(let findings) = try authenticate(rebound) else { return #expect(Bool(false)) }
        #expect(findings.first?.rule == "nonce")
    }

    @Test("The selection must be the one that was asked for, byte by byte")
    func selection() throws {
        func list(_ selections: TPM.PCRSelection...) -> TPM.PCRSelectionList { TPM.PCRSelectionList(selections) }
        let asked = TPM.PCRSelection(bank: .sha256, indices: [0, 4, 7])
        // 18: smaller, larger, another bank, one bank more, the same bank twice, none at all.
        #expect(try broken { $0.quotedSelection = .init(bank: .sha256, indices: [0, 4]) } == "pcr-selection")
        #expect(try broken { $0.quotedSelection = .init(bank: .sha256, indices: [0, 4, 7, 8]) } == "pcr-selection")
        #expect(try broken { $0.quotedSelection = .init(bank: .sha1, indices: [0, 4, 7]) } == "pcr-selection")
        #expect(try broken { $0.quotedSelection = .init(bank: .sha384, indices: [0, 4, 7]) } == "pcr-selection")
        #expect(try broken { $0.quotedSelection = list(asked, .init(bank: .sha384, indices: [0])) } == "pcr-selection")
        #expect(try broken { $0.quotedSelection = list(asked, asked) } == "pcr-selection")
        #expect(try broken { $0.quotedSelection = list() } == "pcr-selection")
        let nothing = Challenge(nonce: challenge.nonce, selection: .init(bank: .sha256, indices: []), expiresAt: 0)
        #expect(try broken(challenge: nothing) { $0.quotedSelection = nothing.selection } == "pcr-selection")
        let weak = Challenge(nonce: challenge.nonce, selection: .init(bank: .sha1, indices: [0]), expiresAt: 0)
        #expect(
            try broken(challenge: weak) {
                $0.quotedSelection = weak.selection
                $0.pcrs = [.sha1: [0: Self.value(1, count: 20)]]
            } == "pcr-bank")  // 22
    }

    @Test("Values are exactly the quoted ones, each of its bank's length")
    func values() throws {
        func spoiled(_ change: (inout [Int: [UInt8]]) -> Void) throws -> String? {
            try broken { recipe in
                var values = pcrs[.sha256] ?? [:]
                change(&values)
                recipe.pcrs = [.sha256: values]
            }
        }
        #expect(try spoiled { $0[0] = Self.value(1, count: 31) } == "pcr-value")  // 19
        #expect(try spoiled { $0[0] = Self.value(1, count: 33) } == "pcr-value")
        #expect(try spoiled { $0[7] = nil } == "pcr-value")
        #expect(try spoiled { $0[8] = Self.value(1) } == "pcr-not-quoted")  // 21
        #expect(
            try broken { $0.pcrs = [.sha256: self.pcrs[.sha256] ?? [:], .sha384: [0: Self.value(1, count: 48)]] }
                == "pcr-not-quoted")
        #expect(try broken { $0.pcrs = [:] } == "pcr-value")
        #expect(try broken { $0.digestHash = .sha384 } == "pcr-digest")  // 20
        // Bytes that move from one PCR to the next leave the concatenation as it was.
        let moved: [Int: [UInt8]] = [0: Self.value(1, count: 31), 4: [1] + Self.value(2), 7: Self.value(3)]
        #expect(try broken { $0.pcrs = [.sha256: moved] } == "pcr-value")
        let good = try forge.evidence(challenge, pcrs: pcrs)
        let swapped = Evidence(
            attestationKey: good.attestationKey, quote: good.quote,
            pcrs: [.sha256: [0: Self.value(2), 4: Self.value(1), 7: Self.value(3)]], eventLog: nil, bound: good.bound,
            keyAttestation: nil, encryptionKeyAttestation: nil)
        guard case .broken(let findings) = try authenticate(swapped) else { return #expect(Bool(false)) }
        #expect(findings.first?.rule == "pcr-digest")
    }

    @Test("PCR 0 and 4 of all zeros or all ones were not measured", arguments: [0, 4], [UInt8(0), 0xFF])
    func notMeasured(pcr: Int, byte: UInt8) throws {
        var values = pcrs[.sha256] ?? [:]
        values[pcr] = Self.value(byte)
        #expect(try broken { $0.pcrs = [.sha256: values] } == "pcr-not-measured")  // 23
    }

    @Test("Boot counters never go backwards, and a new boot is seen")
    func counters() throws {
        let previous = BootCounters(resetCount: 3, restartCount: 0, clock: 5000)
        #expect(try broken(after: previous) { _ in } == nil)  // 26
        #expect(try broken(after: previous) { $0.clock = 4999 } == "boot-counters")
        #expect(try broken(after: .init(resetCount: 3, restartCount: 1, clock: 1)) { _ in } == "boot-counters")
        #expect(try broken(after: .init(resetCount: 4, restartCount: 0, clock: 1)) { _ in } == "boot-counters")
        #expect(try broken(after: previous) { $0.resetCount = 2 } == "boot-counters")
        #expect(
            try broken(after: previous) {
                $0.resetCount = 4
                $0.clock = 1
            } == nil)
        guard case .authentic(let same) = try authenticate(forge.evidence(challenge, pcrs: pcrs), after: previous)
        else {
            return #expect(Bool(false))
        }
        #expect(!same.isNewBoot)
    }

    @Test("A bound key is in the TPM only if its attestation holds in every part")
    func keyAttestation() throws {
        #expect(try broken { $0.certifyNonce = [1] } == "key-attestation")
        #expect(try broken { $0.certifyType = 0x801A } == "key-attestation")
        #expect(try broken { $0.certifyResetCount = 2 } == "key-attestation")
        #expect(try broken { $0.certifySigner = try PrivateKey.generate() } == "key-attestation")
        #expect(try broken { $0.certifiedName = EvidenceForge.endorsementName.bytes } == "key-attestation")
        let other = EvidenceForge.area(
            try PrivateKey.generate(), [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign], .ecdsa(.sha256))
        #expect(try broken { $0.certifiedArea = other } == "key-attestation", "another key was certified")
        let needed: TPM.ObjectAttributes = [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign]
        for missing: TPM.ObjectAttributes in [.fixedTPM, .fixedParent, .sensitiveDataOrigin, .sign] {
            #expect(
                try broken { $0.passportAttributes = needed.subtracting(missing) } == "key-attestation", "\(missing)")
        }
        for excess: TPM.ObjectAttributes in [.restricted, .decrypt, .encryptedDuplication] {
            #expect(try broken { $0.passportAttributes = needed.union(excess) } == "key-attestation", "\(excess)")
        }
        var recipe = EvidenceForge.Recipe()
        recipe.hasKeyAttestation = false
        guard case .authentic(let quote) = try authenticate(forge.evidence(challenge, pcrs: pcrs, recipe)) else {
            return #expect(Bool(false))
        }
        #expect(!quote.keys.confirmation.isInTPM && quote.keys.encryption?.isInTPM == false)
    }

    @Test("No flipped bit of a quote, its signature or a key's attestation is accepted")
    func everyBit() throws {
        let good = try forge.evidence(challenge, pcrs: pcrs)
        let key = try forge.key()
        func isAccepted(_ evidence: Evidence) -> Bool {
            guard let quote = try? UnverifiedQuote(evidence),
                case .authentic = quote.authenticate(by: key, answering: challenge, after: nil)
            else { return false }
            return true
        }
        #expect(isAccepted(good))
        func flipped(_ bytes: [UInt8], _ bit: Int) -> [UInt8] {
            var copy = bytes
            copy[bit / 8] ^= 1 << UInt8(bit % 8)
            return copy
        }
        func with(quote: Evidence.Signed? = nil, attestation: Evidence.KeyAttestation? = nil, bound: [UInt8]? = nil)
            -> Evidence
        {
            Evidence(
                attestationKey: good.attestationKey, quote: quote ?? good.quote, pcrs: good.pcrs, eventLog: nil,
                bound: bound ?? good.bound, keyAttestation: attestation ?? good.keyAttestation,
                encryptionKeyAttestation: good.encryptionKeyAttestation)
        }
        for bit in 0..<(good.quote.attest.count * 8) {
            let quote = Evidence.Signed(attest: flipped(good.quote.attest, bit), signature: good.quote.signature)
            #expect(!isAccepted(with(quote: quote)), "attest bit \(bit)")
        }
        for bit in 0..<(good.quote.signature.count * 8) {
            let quote = Evidence.Signed(attest: good.quote.attest, signature: flipped(good.quote.signature, bit))
            #expect(!isAccepted(with(quote: quote)), "signature bit \(bit)")
        }
        for bit in stride(from: 0, to: good.bound.count * 8, by: 3) {
            #expect(!isAccepted(with(bound: flipped(good.bound, bit))), "bound bit \(bit)")
        }
        let attestation = try #require(good.keyAttestation)
        for bit in 0..<(attestation.publicArea.count * 8) {
            let changed = Evidence.KeyAttestation(
                publicArea: flipped(attestation.publicArea, bit), certification: attestation.certification)
            #expect(!isAccepted(with(attestation: changed)), "public area bit \(bit)")
        }
    }
}

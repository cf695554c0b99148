import CarnetEvidence
import Cryptography
import CarnetTesting
import TPM2
import Testing

@Suite("PCRs of a quote, and the counters beside them (security checks 3.3, 3.4)")
struct QuotedPCRTests {
    let machine: ForgedMachine

    init() throws { machine = try ForgedMachine(booting: GoodBoot.log(banks: [.sha256, .sha384])) }

    @Test("18: the selection is the challenge's, byte by byte")
    func selection() throws {
        let challenge = machine.challenge([0, 4])
        let wide: [UInt8] = [0, 0, 0, 1, 0, 0x0B, 4, 0x11, 0, 0, 0]
        let repeated: [UInt8] = [0, 0, 0, 2, 0, 0x0B, 3, 0x11, 0, 0, 0, 0x0B, 3, 0x11, 0, 0]
        let selections = [
            machine.challenge([0]).selection, machine.challenge([0, 4, 7]).selection,
            machine.challenge([0, 7]).selection, machine.challenge([]).selection,
            machine.challenge([0, 4], banks: [.sha384]).selection,
            machine.challenge([0, 4], banks: [.sha256, .sha384]).selection, TPM.PCRSelectionList([]),
            try TPM.PCRSelectionList(parsing: wide), try TPM.PCRSelectionList(parsing: repeated),
        ]
        for selection in selections {
            let outcome = try machine.authenticate(challenge) {
                $0.quote.attested = ForgedMachine.quoted(selection, machine.registers, .sha256)
            }
            #expect(outcome.brokenRule == "pcr-selection", "\(selection)")
        }
    }

    @Test("18: the order of the banks is the challenge's")
    func order() throws {
        let challenge = machine.challenge([0, 4], banks: [.sha256, .sha384])
        _ = try machine.authenticate(challenge).accepted()
        let turned = machine.challenge([0, 4], banks: [.sha384, .sha256]).selection
        let outcome = try machine.authenticate(challenge) {
            $0.quote.attested = ForgedMachine.quoted(turned, machine.registers, .sha256)
        }
        #expect(outcome.brokenRule == "pcr-selection")
    }

    @Test("18: a challenge that asks for nothing is answered by nothing")
    func nothing() throws {
        for pcrs in [TPM.PCRSelectionList([]), machine.challenge([]).selection] {
            let challenge = Challenge(nonce: machine.challenge().nonce, selection: pcrs, expiresAt: 1)
            #expect(try machine.authenticate(challenge).brokenRule == "pcr-selection")
        }
    }

    @Test("19: bytes cannot move from one PCR to the next: each value has its bank's length")
    func lengths() throws {
        let challenge = machine.challenge([0, 4])
        let outcome = try machine.authenticate(challenge) { draft in
            let first = draft.pcrs[.sha256]?[0] ?? [], second = draft.pcrs[.sha256]?[4] ?? []
            draft.pcrs[.sha256] = [0: first + second.prefix(1), 4: Array(second.dropFirst())]
        }
        #expect(outcome.brokenRule == "pcr-value")
        #expect(try machine.authenticate(challenge) { $0.pcrs[.sha256]?[4] = nil }.brokenRule == "pcr-value")
        #expect(try machine.authenticate(challenge) { $0.pcrs[.sha256]?[4] = [] }.brokenRule == "pcr-value")
        #expect(try machine.authenticate(challenge) { $0.pcrs = [:] }.brokenRule == "pcr-value")
    }

    @Test("20: the digest is over the values, with the hash of the signing scheme and not of the bank")
    func digest() throws {
        let challenge = machine.challenge([0, 4], banks: [.sha384])
        _ = try machine.authenticate(challenge).accepted()
        let outcome = try machine.authenticate(challenge) {
            $0.quote.attested = ForgedMachine.quoted(challenge.selection, $0.pcrs, .sha384)
        }
        #expect(outcome.brokenRule == "pcr-digest")
        let changed = try machine.authenticate(challenge) { $0.pcrs[.sha384]?[4]?[0] ^= 1 }
        #expect(changed.brokenRule == "pcr-digest")
        let swapped = try machine.authenticate(challenge) { draft in
            draft.pcrs[.sha384] = [
                0: draft.pcrs[.sha384]?[4] ?? [], 4: draft.pcrs[.sha384]?[0] ?? [],
            ]
        }
        #expect(swapped.brokenRule == "pcr-digest")
    }

    @Test("21: a value that is not quoted is refused, not ignored")
    func extra() throws {
        let challenge = machine.challenge([0, 4])
        let value = [UInt8](repeating: 7, count: 32)
        #expect(try machine.authenticate(challenge) { $0.pcrs[.sha256]?[7] = value }.brokenRule == "pcr-not-quoted")
        #expect(try machine.authenticate(challenge) { $0.pcrs[.sha384] = [0: value] }.brokenRule == "pcr-not-quoted")
        #expect(try machine.authenticate(challenge) { $0.pcrs[.sha384] = [:] }.brokenRule == "pcr-not-quoted")
    }

    @Test(
        "22: SHA-1 proves nothing, also when a challenge asks for it",
        arguments: [[TPM.AlgorithmID.sha1], [.sha1, .sha256]])
    func weakBank(banks: [TPM.AlgorithmID]) throws {
        var machine = machine
        machine.registers[.sha1] = [0: [UInt8](repeating: 1, count: 20), 4: [UInt8](repeating: 2, count: 20)]
        #expect(try machine.authenticate(machine.challenge([0, 4], banks: banks)).brokenRule == "pcr-bank")
    }

    @Test(
        "23: PCR 0 and 4 of all zeros or all ones were not measured; other PCRs may be",
        arguments: [(0, 0), (0, 0xFF), (4, 0), (4, 0xFF)])
    func unmeasured(pcr: Int, filler: UInt8) throws {
        var machine = machine
        let value = [UInt8](repeating: filler, count: 32)
        machine.registers[.sha256]?[pcr] = value
        #expect(try machine.authenticate(machine.challenge([0, 4])).brokenRule == "pcr-not-measured")
        machine.registers[.sha256]?[pcr] = self.machine.registers[.sha256]?[pcr]
        machine.registers[.sha256]?[9] = value
        _ = try machine.authenticate(machine.challenge([0, 4, 9])).accepted()
    }

    @Test("26: counters never go backwards")
    func counters() throws {
        // The machine says reset 7, restart 0, clock 1500.
        let challenge = machine.challenge()
        func outcome(_ reset: UInt32, _ restart: UInt32, _ clock: UInt64) throws -> Authentication {
            try machine.authenticate(
                challenge, after: BootCounters(resetCount: reset, restartCount: restart, clock: clock))
        }
        #expect(try !outcome(7, 0, 1499).accepted().isNewBoot)
        #expect(try outcome(6, 9, 1).accepted().isNewBoot)
        #expect(try outcome(6, 9, 9_999_999).accepted().isNewBoot, "the clock may fall back over a reset")
        #expect(try outcome(8, 0, 1).brokenRule == "boot-counters")
        #expect(try outcome(7, 1, 1).brokenRule == "boot-counters")
        #expect(try outcome(7, 0, 1501).brokenRule == "boot-counters")
        #expect(try outcome(.max, .max, .max).brokenRule == "boot-counters")
    }

    @Test("A finding names bank, PCR and what to do")
    func finding() throws {
        let outcome = try machine.authenticate(machine.challenge([0, 4])) { $0.pcrs[.sha256]?[4] = nil }
        guard case .broken(let findings) = outcome, let finding = findings.first else {
            return #expect(Bool(false), "accepted")
        }
        #expect(findings.count == 1 && finding.family == .brokenEvidenceChain)
        #expect(finding.bank == "sha256" && finding.pcr == 4 && !finding.remedy.isEmpty)
        #expect(finding.description.contains("32 bytes"))
    }
}

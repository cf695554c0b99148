import Cryptography
import Fixtures
import TPM2
import Testing

@Suite("Policy digests")
struct PolicyTests {
    /// TCG EK Credential Profile 2.6, Annex B.6 (PolicyA, PolicyB and PolicyC for SHA-256).
    @Test("The endorsement key's policies are those of the profile")
    func endorsementPolicies() {
        typealias Template = TPM.EndorsementKeyTemplate
        #expect(
            Template.policyA(.sha256).bytes.hex == "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")
        #expect(
            Template.policyC(.sha256).bytes.hex == "3767e2edd43ff45a3a7e1eaefcef78643dca964632e7aad82c673a30d8633fde")
        #expect(
            Template.policyB(.sha256).bytes.hex == "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0")
        #expect(Template.policyB(.sha384).bytes.hex.hasPrefix("b26e7d28"))
    }

    /// Recomputed with TPM2_PolicyPCR in a trial session of a software TPM.
    @Test("PolicyPCR over two zero PCRs gives the TPM's digest")
    func policyPCR() {
        let zero = [UInt8](repeating: 0, count: 32)
        let digest = TPM.PolicyDigest().pcr(.init(bank: .sha256, indices: [0, 7]), values: [zero, zero])
        #expect(digest.bytes.hex == "02e3642b3e29eeccfffd8031c00a6f0a0febe5ceea2f6ef6b0322fe81598cf31")
    }

    @Test("PolicyPCR takes its values by bank and index, and nothing that is missing")
    func policyPCRByIndex() throws {
        let zero = [UInt8](repeating: 0, count: 32)
        let selection = TPM.PCRSelectionList(bank: .sha256, indices: [0, 7])
        let digest = TPM.PolicyDigest().pcr(selection, in: [.sha256: [0: zero, 4: [1], 7: zero]])
        #expect(digest?.bytes.hex == "02e3642b3e29eeccfffd8031c00a6f0a0febe5ceea2f6ef6b0322fe81598cf31")
        #expect(TPM.PolicyDigest().pcr(selection, in: [.sha256: [0: zero]]) == nil)
        #expect(TPM.PolicyDigest().pcr(selection, in: [.sha384: [0: zero, 7: zero]]) == nil)
        #expect(TPM.PolicyDigest().pcr(selection, in: [.sha256: [0: zero + [0], 7: Array(zero.dropLast())]]) == nil)
        #expect(TPM.PolicyDigest().pcr(.init([]), in: [:]) == nil)
        #expect(TPM.PolicyDigest().pcr(.init(bank: .sha256, indices: []), in: [:]) == nil)
    }

    /// Computed with Python's hashlib from Part 3 §23.7: H(old ‖ 0000017F ‖ TPML_PCR_SELECTION ‖ H(values)).
    @Test("PolicyPCR over two banks, and with SHA-384")
    func policyPCRBanks() throws {
        let values: [TPM.AlgorithmID: [Int: [UInt8]]] = [
            .sha256: [0: [UInt8](repeating: 0xA0, count: 32), 7: [UInt8](repeating: 0xA7, count: 32)],
            .sha384: [4: [UInt8](repeating: 0xB4, count: 48)],
        ]
        let selection = TPM.PCRSelectionList([
            .init(bank: .sha256, indices: [0, 7]), .init(bank: .sha384, indices: [4]),
        ])
        #expect(
            TPM.PolicyDigest().pcr(selection, in: values)?.bytes.hex
                == "fe4fdf2d1b042549e81dcf4d7bea9fde0d5e211da03eb828745c4166398aac9a")
        let long = TPM.PolicyDigest(.sha384).pcr(selection, in: values)?.bytes.hex
        #expect(
            long == "7dc4b1760acb0636e78d2dd6963c950e2f5d2497c5d632d3"
                + "d59d46a96b605a064d491bacb3abc2d83a6f153ed02a4892")
    }

    @Test("A selection keeps its order and its bytes")
    func selection() throws {
        let list = TPM.PCRSelectionList([
            .init(bank: .sha384, indices: [23, 0]), .init(bank: .sha256, indices: [8, 24, -1]),
        ])
        #expect(list.bytes.hex == "00000002000c03010080000b03000100")
        #expect(try TPM.PCRSelectionList(parsing: list.bytes) == list)
        #expect(list.selections.map(\.indices) == [[0, 23], [8]])
        for count in 0..<list.bytes.count {
            #expect(throws: TPM.ParseError.self) { try TPM.PCRSelectionList(parsing: Array(list.bytes.prefix(count))) }
        }
        #expect(throws: TPM.ParseError.trailingBytes(1)) { try TPM.PCRSelectionList(parsing: list.bytes + [0]) }
        let many = [UInt8](hex: "ffffffff000b03000100")
        #expect(throws: TPM.ParseError.self) { try TPM.PCRSelectionList(parsing: many) }
    }
}

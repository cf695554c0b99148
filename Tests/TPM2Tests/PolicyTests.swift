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

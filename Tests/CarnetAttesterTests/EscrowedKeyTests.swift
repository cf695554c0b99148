import CarnetEvidence
import Testing
import TPM2

@testable import CarnetAttester

/// What is wrapped for the broker.
@Suite("A key in escrow, and its PCRs")
struct EscrowedKeyTests {
    private let key = [UInt8](repeating: 7, count: 32)

    @Test("A key with and without named PCRs is read as it was written; anything else is no key")
    func forms() throws {
        let selection = try #require(TPM.PCRSelectionList(text: "sha256:0,7,11+sha384:23"))
        for named in [nil, selection] {
            let content = EscrowedKey(key: key, selection: named)
            #expect(content.bytes.count <= TPMDevice.maximumSealedByteCount)
            #expect(EscrowedKey(parsing: content.bytes) == content)
        }
        let whole = EscrowedKey(key: key, selection: selection).bytes
        for count in 0..<whole.count where count != 32 {
            #expect(EscrowedKey(parsing: Array(whole.prefix(count))) == nil)
        }
        #expect(EscrowedKey(parsing: whole + [0]) == nil)
        let none = TPM.PCRSelectionList([]), empty = TPM.PCRSelectionList(bank: .sha256, indices: [])
        for selection in [none, empty] { #expect(EscrowedKey(parsing: key + selection.bytes) == nil) }
    }
}

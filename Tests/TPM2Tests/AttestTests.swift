import Fixtures
import TPM2
import Testing

@Suite("TPMS_ATTEST")
struct AttestTests {
    /// A quote over sha256:0,8,16 and sha1:2 of a software TPM, in the layout of Part 2 §10.12.
    static let quote = [UInt8](
        hex: "ff54434780180022000b" + String(repeating: "ab", count: 32) + "0004deadbeef" + "00000000000005de"
            + "00000001" + "00000002" + "01" + "2019102300163636" + "00000002" + "000b03010101" + "000403040000"
            + "0020" + String(repeating: "cd", count: 32))

    @Test("A quote is read field by field")
    func quoteFields() throws {
        let attest = try TPM.Attest(parsing: Self.quote)
        #expect(attest.qualifiedSigner.count == 34 && attest.extraData.hex == "deadbeef")
        #expect(attest.clockInfo.clock == 0x5DE && attest.clockInfo.resetCount == 1)
        #expect(attest.clockInfo.restartCount == 2 && attest.clockInfo.safe)
        #expect(attest.firmwareVersion == 0x2019_1023_0016_3636)
        guard case .quote(let info) = attest.attested else { return #expect(Bool(false), "not a quote") }
        #expect(info.selection.selections.map(\.bank) == [.sha256, .sha1])
        #expect(info.selection.selections.map(\.indices) == [[0, 8, 16], [2]])
        #expect(info.selection.pcrCount == 4 && info.pcrDigest.count == 32)
        #expect(info.selection.bytes.hex == "00000002000b03010101000403040000")
    }

    @Test("Every truncation and every appended byte is refused")
    func exactness() {
        for count in 0..<Self.quote.count {
            #expect(throws: TPM.ParseError.self) { try TPM.Attest(parsing: Array(Self.quote.prefix(count))) }
        }
        #expect(throws: TPM.ParseError.trailingBytes(1)) { try TPM.Attest(parsing: Self.quote + [0]) }
    }

    @Test(
        "Wrong magic, unknown types, odd flags and oversized fields are refused",
        arguments: [
            (0, 0xFE), (3, 0x48), (5, 0x14), (5, 0x19), (7, 0x43), (43, 0x41), (64, 0x02), (76, 0x11), (79, 0x00),
            (79, 0x05),
        ])
    func invalid(offset: Int, value: UInt8) {
        var bytes = Self.quote
        bytes[offset] = value
        #expect(throws: TPM.ParseError.self) { try TPM.Attest(parsing: bytes) }
    }

    @Test(
        "A certify attestation names the certified key",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
    func certify() throws {
        let attest = try TPM.Attest(parsing: SharedFixtures.bytes("vectors/c.msg"))
        guard case .certify(let info) = attest.attested else { return #expect(Bool(false), "not a certify") }
        #expect(try info.name == SharedFixtures.bytes("vectors/bk.name"))
        let key = try TPM.Public(parsing: Array(SharedFixtures.bytes("vectors/bk.pub").dropFirst(2)))
        #expect(key.name.bytes == info.name)
    }

    @Test(
        "A creation attestation of another maker's TPM is read",
        .enabled(if: SharedFixtures.areAvailable, "\(SharedFixtures.skipReason)"))
    func creation() throws {
        let folder = "fixtures/tpm-quotes/go-attestation/windows_gcp_shielded_vm/"
        let attest = try TPM.Attest(parsing: SharedFixtures.bytes(folder + "ak.create_attest"))
        guard case .creation(let info) = attest.attested else { return #expect(Bool(false), "not a creation") }
        let key = try TPM.Public(parsing: SharedFixtures.bytes(folder + "ak.pub"))
        #expect(info.objectName == key.name.bytes)
        #expect(
            try key.isValid(TPM.Signature(parsing: SharedFixtures.bytes(folder + "ak.create_sig")), over: attest.bytes)
                == false, "the signature is SHA-1 and must not verify")
    }
}

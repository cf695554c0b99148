import CarnetAttester
import CarnetEvidence
import CarnetTesting
import Cryptography
import Foundation
import TPM2
import Testing

/// What makers store in a TPM beside the endorsement key: certificates for both kinds, chains, nonces, templates, padding.
@Suite("What the maker stored in the TPM", .serialized)
struct EndorsementTests {
    private static func anchors(_ tpm: SoftwareTPM) throws -> [Certificate] {
        try tpm.authorityFiles.flatMap { try Certificate.parsePEM([UInt8](Data(contentsOf: URL(filePath: $0)))) }
    }

    @Test("A P-256 endorsement certificate is found, is for the template's key, and chains to its authority")
    func p256() throws {
        let tpm = try SoftwareTPM.copy()
        try tpm.certifyP256()
        let device = try tpm.device()
        let area = try device.endorsementKey(.eccP256).publicArea
        let certificate = try #require(try device.endorsementCertificate(.eccP256))
        #expect(try certificate.publicKey() == area.publicKey())
        let trusted = try EndorsementKey(checking: area).certified(
            by: certificate, intermediates: [], anchors: Self.anchors(tpm), at: Int64(Date().timeIntervalSince1970))
        #expect(trusted.key.publicArea == area)
    }

    @Test("Padding behind a certificate is cut off", arguments: [UInt8(0x00), 0xFF])
    func padding(byte: UInt8) throws {
        let tpm = try SoftwareTPM.copy()
        let plain = try #require(try tpm.device().endorsementCertificate(.rsa2048))
        try tpm.storeNV(0x01C0_000A, plain.der + [UInt8](repeating: byte, count: 100))
        #expect(try tpm.device().endorsementCertificate(.eccP256)?.der == plain.der)
    }

    @Test("A chain is read from one index or several, and what is no certificate ends it")
    func chain() throws {
        let tpm = try SoftwareTPM.copy()
        #expect(try tpm.device().endorsementCertificateChain().isEmpty)
        let anchors = try Self.anchors(tpm)
        try tpm.storeNV(0x01C0_0100, anchors[0].der + [0, 0, 0, 0])
        try tpm.storeNV(0x01C0_01FF, anchors[1].der)
        #expect(try tpm.device().endorsementCertificateChain().map(\.der) == anchors.map(\.der))
    }

    @Test("An index that only the owner may read is read as the owner")
    func ownerRead() throws {
        let tpm = try SoftwareTPM.copy()
        let plain = try #require(try tpm.device().endorsementCertificate(.rsa2048))
        try tpm.storeNV(0x01C0_000A, plain.der, readableByOwnerOnly: true)
        #expect(try tpm.device().endorsementCertificate(.eccP256)?.der == plain.der)
    }

    @Test("A stored nonce makes another key", arguments: TPM.EndorsementKeyTemplate.allCases)
    func nonce(template: TPM.EndorsementKeyTemplate) throws {
        let tpm = try SoftwareTPM.copy()
        let before = try tpm.device().endorsementKey(template).publicArea
        try tpm.storeNV(template.certificateIndex + 1, [UInt8](repeating: 7, count: 32))
        let after = try tpm.device().endorsementKey(template).publicArea
        #expect(after.name != before.name && after.attributes == before.attributes)
    }

    @Test("A stored template is used instead of the default, and one that cannot be read is an error")
    func template() throws {
        let tpm = try SoftwareTPM.copy()
        // The RSA template where the P-256 one is looked for: no maker does that, but it is easily told apart.
        try tpm.storeNV(0x01C0_000C, TPM.EndorsementKeyTemplate.rsa2048.publicArea.bytes)
        let device = try tpm.device()
        #expect(try device.endorsementKey(.eccP256).publicArea == device.endorsementKey(.rsa2048).publicArea)
        let other = try SoftwareTPM.copy()
        try other.storeNV(0x01C0_000C, [1, 2, 3])
        #expect(throws: TPMDeviceError.self) { try other.device().endorsementKey(.eccP256) }
    }

    @Test("A software TPM that serves another program is busy, and free again afterwards", .timeLimit(.minutes(5)))
    func busy() throws {
        let tpm = try SoftwareTPM.copy()
        do {
            let other = try TPMSocket(path: tpm.directory + "/tpm.sock")
            let failure = #expect(throws: TPMDeviceError.self) { try TPMDevice(tpm.tcti, patience: 1) }
            #expect(failure?.code == .busy && failure?.description.contains(tpm.tcti) == true)
            withExtendedLifetime(other) {}
        }
        #expect(try tpm.device().random(8).count == 8)
    }

    @Test("A TPM that went away in the middle is unavailable, and says so")
    func gone() throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        tpm.stop()
        do {
            _ = try device.random(8)
            Issue.record("a TPM that is switched off gave random bytes")
        } catch {
            #expect(error.code == .unavailable && error.description.contains("connection"))
        }
    }

    @Test("A bank that the TPM does not have is named")
    func bank() throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        do {
            _ = try device.readPCRs(TPM.PCRSelectionList(bank: .sha384, indices: [0, 1]))
            Issue.record("the TPM has only sha256")
        } catch {
            #expect(error.description.contains("sha384"))
        }
        let both = TPM.PCRSelectionList([
            TPM.PCRSelection(bank: .sha256, indices: 0..<24), TPM.PCRSelection(bank: .sha384, indices: [0]),
        ])
        #expect(throws: TPMDeviceError.self) { try device.readPCRs(both) }
        let all = try device.readPCRs(TPM.PCRSelectionList(bank: .sha256, indices: 0..<24))
        #expect(all[.sha256]?.count == 24 && all[.sha256]?[17] == [UInt8](repeating: 0xFF, count: 32))
    }
}

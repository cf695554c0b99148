import CarnetAttester
import CarnetTesting
import Cryptography
import TPM2
import Testing

/// A software TPM with endorsement certificates, and the device under test on it. Every test has its own.
@Suite("A TPM as the attester uses it")
struct DeviceTests {
    let tpm: SoftwareTPM
    let device: TPMDevice
    static let unique = [UInt8](repeating: 0x5A, count: 32)
    static let nonce = HashAlgorithm.sha256.hash(Array("nonce".utf8))

    init() throws {
        tpm = try SoftwareTPM()
        device = TPMDevice(TPMAddress(tpm.address))
    }

    @Test("The endorsement key made from the template is the one that the certificate in NV is for", arguments: TPM.EndorsementKeyTemplate.allCases)
    func endorsementKey(_ kind: TPM.EndorsementKeyTemplate) async throws {
        let key = try await device.perform { try $0.endorsementKey(kind) }
        let certificate = try #require(key.certificate)
        let subjectPublicKeyInfo = try key.publicArea.publicKey().subjectPublicKeyInfo
        #expect(certificate.firstRange(of: subjectPublicKeyInfo) != nil)
        #expect(key.publicArea.attributes.rawValue == 0x0003_00B2)
        #expect(key.publicArea.authPolicy == TPM.EndorsementKeyTemplate.policyA(.sha256).bytes)
    }
}

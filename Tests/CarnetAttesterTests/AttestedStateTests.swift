import CarnetAttester
import CarnetTesting
import Cryptography
import TPM2
import Testing

/// What is released for one state is not sealed to another.
@Suite struct AttestedStateTests {
    @Test(
        "A state is taken while the machine is in the attested one, and no more once a PCR of that moved, chosen or not"
    )
    func moved() throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        let chosen = TPM.PCRSelectionList(bank: .sha256, indices: [7])
        let all = TPM.PCRSelectionList(bank: .sha256, indices: [7, 16])
        let attested = try #require(KeyState(all, in: device.readPCRs(all)))
        #expect(try device.state(chosen, attested: attested) == device.state(chosen))
        #expect(try device.state(all, attested: nil) == device.state(all))
        try device.extend(pcr: 16, bank: .sha256, digest: HashAlgorithm.sha256.hash([1]))
        #expect(throws: TPMDeviceError.self) { try device.state(all, attested: attested) }
        #expect(throws: TPMDeviceError.self) { try device.state(chosen, attested: attested) }
        #expect(try device.state(all, attested: nil) == device.state(all))
    }
}

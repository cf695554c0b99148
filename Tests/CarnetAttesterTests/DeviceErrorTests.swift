import CarnetAttester
import CarnetTesting
import Cryptography
import Foundation
import TPM2
import Testing

/// What went wrong, in words that tell the next step; and small answers that several calls must make up.
@Suite("What the TPM device answers and refuses", .serialized)
struct DeviceErrorTests {
    @Test(
        "Every way that opening a device file fails has its own next step",
        arguments: [
            (ENOENT, TPMDeviceError.Code.unavailable, "no TPM at"), (ENXIO, .unavailable, "modprobe"),
            (EACCES, .unavailable, "group that owns it"), (EPERM, .unavailable, "Run as root"),
            (EBUSY, .busy, "tpmrm0"), (EISDIR, .unavailable, "device file"),
        ])
    func opening(number: Int32, code: TPMDeviceError.Code, words: String) {
        let error = TPMDeviceError.opening("/dev/tpm0", errno: number, device: "device:/dev/tpm0")
        #expect(error.code == code && error.description.contains(words) && error.description.contains("/dev/tpm0"))
    }

    @Test("A directory is no device")
    func directory() {
        let error = #expect(throws: TPMDeviceError.self) { try TPMDevice("device:/dev") }
        #expect(error?.code == .unavailable && error?.description.contains("/dev cannot be opened") == true)
    }

    @Test(
        "Response codes are told apart, with and without the layer of a resource manager",
        arguments: [
            (0x101, TPMDeviceError.Code.unavailable, "failure mode"), (0x100, .unavailable, "not started"),
            (0x120, .unavailable, "hierarchy"), (0x921, .busy, "locked out"), (0x922, .busy, "is busy"),
            (0x920, .busy, "is busy"), (0xB0922, .busy, "is busy"), (0x902, .busy, "tpm2_flushcontext"),
            (0x98E, .notForThisTPM, "password"), (0x99D, .notForThisTPM, "password"),
            (0x9A2, .notForThisTPM, "password"),
            (0x1DF, .notForThisTPM, "not for this TPM"), (0xA000A, .unavailable, "connection"),
            (0x127, .refused, "Part 2"), (0x128, .refused, "Part 2"),
        ] as [(UInt32, TPMDeviceError.Code, String)])
    func answers(response: UInt32, code: TPMDeviceError.Code, words: String) {
        let error = TPMDeviceError.answer(response, to: "TPM2_Quote", device: "device:/dev/tpmrm0")
        #expect(error.code == code && error.responseCode == response, "\(error)")
        for part in ["TPM2_Quote", "device:/dev/tpmrm0", words] {
            #expect(error.description.contains(part), "\(error)")
        }
    }

    @Test("As many random bytes as were asked for, however few one call gives", arguments: [0, 1, 32, 33, 100])
    func random(count: Int) throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        let bytes = try device.random(count)
        #expect(bytes.count == count)
        if count >= 32 { #expect(try device.random(count) != bytes) }
    }

    @Test("The maker, its name for the product and the firmware are read")
    func identity() throws {
        let tpm = try SoftwareTPM.copy()
        let identity = try tpm.device().identity()
        #expect(identity.manufacturer == "IBM" && identity.vendor.hasPrefix("SW") && identity.firmware.count == 16)
    }

    @Test("An extension changes its PCR and no other; a digest of the wrong length is refused")
    func extend() throws {
        let tpm = try SoftwareTPM.copy()
        let digest = [UInt8](repeating: 9, count: 32)
        try tpm.extend(pcr: 23, digests: [.sha256: digest, .sha384: digest + digest.prefix(16)])
        let values = try tpm.device().readPCRs(.init(bank: .sha256, indices: [16, 23]))[.sha256]
        #expect(values?[16] == [UInt8](repeating: 0, count: 32))
        #expect(values?[23] == HashAlgorithm.sha256.hash([UInt8](repeating: 0, count: 32) + digest))
        #expect(throws: TPMDeviceError.self) { try tpm.extend(pcr: 23, digests: [.sha256: [1, 2, 3]]) }
    }

    @Test("A closed key cannot be used, and closing twice is harmless")
    func closed() throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        let key = try device.attestationKey()
        key.close()
        key.close()
        let error = #expect(throws: TPMDeviceError.self) {
            try device.quote(.init(bank: .sha256, indices: [0]), by: key, qualifyingData: [])
        }
        #expect(error?.code == .refused)
    }
}

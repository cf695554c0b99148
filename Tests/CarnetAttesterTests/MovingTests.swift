import CarnetAttester
import CarnetEvidence
import CarnetTesting
import Cryptography
import Dispatch
import Foundation
import Synchronization
import TPM2
import Testing

/// PCRs that change while they are read and quoted.
@Suite("Evidence while something measures", .timeLimit(.minutes(5)))
struct MovingTests {
    /// Extends a PCR through a connection of its own until it is told to stop.
    private final class Measurer: Sendable {
        private let isWanted = Mutex(true)
        private let isDone = DispatchSemaphore(value: 0)

        init(_ tpm: SoftwareTPM) throws {
            let tcti = tpm.tcti
            Thread.detachNewThread { [self] in
                while isWanted.withLock({ $0 }) {
                    try? TPMDevice(tcti).extend(pcr: 16, bank: .sha256, digest: SecureRandom.bytes(32))
                }
                isDone.signal()
            }
        }

        func stop() {
            isWanted.withLock { $0 = false }
            isDone.wait()
        }
    }

    @Test("Values and quote always agree, or there is no evidence and a word about why")
    func moving() throws {
        let tpm = try SoftwareTPM.copy(), measurer = try Measurer(tpm)
        let collector = EvidenceCollector(device: try tpm.device(), state: AttesterState())
        let selection = TPM.PCRSelectionList(bank: .sha256, indices: [0, 16])
        func agree(_ evidence: Evidence) throws -> Bool {
            let values = [0, 16].flatMap { evidence.pcrs[.sha256]?[$0] ?? [] }
            guard case .quote(let info) = try TPM.Attest(parsing: evidence.quote.attest).attested else { return false }
            return info.pcrDigest == HashAlgorithm.sha256.hash(values)
        }
        for _ in 0..<30 {
            do throws(TPMDeviceError) {
                let evidence = try collector.quote(nonce: [1, 2, 3], selection)
                #expect((try? agree(evidence)) == true)
            } catch {
                #expect(error.code == .busy && error.description.contains("PCRs"))
            }
        }
        measurer.stop()
        let evidence = try collector.quote(nonce: [1, 2, 3], selection)
        #expect(try agree(evidence))
    }
}

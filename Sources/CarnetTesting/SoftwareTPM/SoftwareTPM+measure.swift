internal import CarnetAttester
internal import Cryptography
public import MeasurementLogs
internal import TPM2

extension SoftwareTPM {
    /// Extends PCRs with what a log says was measured, from its measurement `first` on.
    public func measure(_ log: EventLogBuilder, from first: Int = 0) throws {
        try extend(log.measurements.dropFirst(first).map { ($0.pcr, $0.digests[.sha256]) })
    }

    /// Extends PCRs with what systemd's log says was measured, from its record `first` on.
    public func measure(_ log: RuntimeLogBuilder, from first: Int = 0) throws {
        try extend(log.measurements.dropFirst(first).map { ($0.pcr, $0.digests[.sha256]) })
    }

    /// Extends PCR 10, or those that the entries name, with what the kernel's list says was measured, from its entry `first` on.
    public func measure(_ list: IMAListBuilder, from first: Int = 0) throws {
        let ones = [UInt8](repeating: 0xFF, count: HashAlgorithm.sha256.byteCount)
        try extend(
            IMAList(parsing: list.bytes).entries.dropFirst(first).map { entry in
                (entry.pcr, entry.isViolation ? ones : HashAlgorithm.sha256.hash(entry.hashedData))
            })
    }

    private func extend(_ measurements: [(pcr: Int, digest: [UInt8]?)]) throws {
        let device = try device()
        for (pcr, digest) in measurements {
            if let digest { try device.extend(pcr: pcr, bank: .sha256, digest: digest) }
        }
    }
}

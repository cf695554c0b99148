internal import CarnetAttester
internal import CarnetEvidence
internal import Cryptography
public import MeasurementLogs
internal import TPM2

extension ForgedMachine {
    /// The kernel measures: each entry behind those that were measured before extends the PCR that it names, in every bank.
    ///
    /// - Parameter list: The whole list since the boot, so that it can go on from ``imaList``.
    public mutating func measure(_ list: IMAListBuilder) throws {
        for entry in try IMAList(parsing: list.bytes).entries.dropFirst(imaList?.count ?? 0) {
            extend(pcr: entry.pcr) { hash in
                entry.isViolation ? [UInt8](repeating: 0xFF, count: hash.byteCount) : hash.hash(entry.hashedData)
            }
        }
        imaList = list
    }

    /// systemd measures: each record behind those that were measured before extends its PCR, in the banks of which it has a digest.
    ///
    /// - Parameter log: The whole log since the boot, so that it can go on from ``runtimeLog``.
    public mutating func measure(_ log: RuntimeLogBuilder) {
        for measurement in log.measurements.dropFirst(runtimeLog?.measurements.count ?? 0) {
            extend(pcr: measurement.pcr) { measurement.digests[$0] }
        }
        runtimeLog = log
    }

    private mutating func extend(pcr: Int, _ digest: (HashAlgorithm) -> [UInt8]?) {
        for (bank, values) in registers {
            guard let hash = bank.hash, var value = values[pcr], let digest = digest(hash) else { continue }
            hash.extend(&value, with: digest)
            registers[bank]?[pcr] = value
        }
    }

    /// The list from an entry on, or all of it where it has fewer.
    func ima(from offset: Int) -> Evidence.IMA? {
        guard let imaList else { return nil }
        var walker = IMAEntryWalker(passing: offset)
        let rest = walker.pass(imaList.bytes[...])
        return walker.hasArrived
            ? Evidence.IMA(offset: offset, entries: Array(rest)) : Evidence.IMA(offset: 0, entries: imaList.bytes)
    }
}

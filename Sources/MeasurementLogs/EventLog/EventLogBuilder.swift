public import Cryptography
internal import TPM2

/// Writes an event log as firmware does: for tests, for demonstrations, and to predict what a boot will measure.
public struct EventLogBuilder: Sendable {
    /// The banks in which every event is measured.
    public let banks: [HashAlgorithm]
    /// The log so far.
    public private(set) var bytes: [UInt8] = []
    /// What was extended, in order: for each event its PCR and its digest in each bank.
    public private(set) var measurements: [(pcr: Int, digests: [HashAlgorithm: [UInt8]])] = []

    /// A log with its Spec ID event.
    public init(banks: [HashAlgorithm] = [.sha256]) {
        self.banks = banks
        var data = Array("Spec ID Event03\0".utf8)
        // Platform class client, version 2.0 errata 0, 64-bit.
        data += [0, 0, 0, 0, 0, 2, 0, 2]
        append(UInt32(clamping: banks.count), to: &data)
        for bank in banks {
            append(TPM.AlgorithmID(bank).rawValue, to: &data)
            append(UInt16(clamping: bank.byteCount), to: &data)
        }
        data.append(0)
        append(UInt32(0), to: &bytes)
        append(EventType.noAction.rawValue, to: &bytes)
        bytes += [UInt8](repeating: 0, count: 20)
        append(UInt32(clamping: data.count), to: &bytes)
        bytes += data
    }

    /// Adds an event whose digest covers `measured`; by default that is the data itself.
    public mutating func add(pcr: Int, _ type: EventType, data: [UInt8], measuring measured: [UInt8]? = nil) {
        let isMeasured = type != .noAction
        add(pcr: pcr, type, data: data) {
            isMeasured ? $0.hash(measured ?? data) : [UInt8](repeating: 0, count: $0.byteCount)
        }
    }

    /// Adds an event with the digest that `digest` gives for each bank, as an image's Authenticode digest.
    public mutating func add(
        pcr: Int, _ type: EventType, data: [UInt8], digest: (HashAlgorithm) -> [UInt8]
    ) {
        append(UInt32(clamping: pcr), to: &bytes)
        append(type.rawValue, to: &bytes)
        append(UInt32(clamping: banks.count), to: &bytes)
        var digests: [HashAlgorithm: [UInt8]] = [:]
        for bank in banks {
            let digest = digest(bank)
            append(TPM.AlgorithmID(bank).rawValue, to: &bytes)
            bytes += digest
            digests[bank] = digest
        }
        append(UInt32(clamping: data.count), to: &bytes)
        bytes += data
        if type != .noAction { measurements.append((pcr, digests)) }
    }

    /// Adds the measurement of a firmware variable.
    public mutating func addVariable(
        pcr: Int, _ type: EventType, vendor: [UInt8] = UEFIVariable.globalVendor, name: String, value: [UInt8]
    ) {
        var data = vendor
        append(UInt64(clamping: name.utf16.count), to: &data)
        append(UInt64(clamping: value.count), to: &data)
        for unit in name.utf16 { append(unit, to: &data) }
        add(pcr: pcr, type, data: data + value)
    }

    /// Adds an image that the firmware loads: the digest is of the image, the data names its path.
    public mutating func addImage(
        pcr: Int, _ type: EventType = .efiBootServicesApplication, path: String, image: [UInt8]
    ) {
        var node: [UInt8] = []
        for unit in Array(path.utf16) + [0] { append(unit, to: &node) }
        var devicePath: [UInt8] = [4, 4]
        append(UInt16(clamping: node.count + 4), to: &devicePath)
        devicePath += node + [0x7F, 0xFF, 4, 0]
        var data: [UInt8] = []
        append(UInt64(0x7E00_0000), to: &data)
        append(UInt64(clamping: image.count), to: &data)
        append(UInt64(0), to: &data)
        append(UInt64(clamping: devicePath.count), to: &data)
        add(pcr: pcr, type, data: data + devicePath, measuring: image)
    }

    private func append(_ value: some FixedWidthInteger, to output: inout [UInt8]) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            output.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

internal import Cryptography
internal import TPM2

extension IMACheckpoint {
    /// `CIMA`, then version, PCR and number of banks in a byte each, the counts of entries and violations in eight bytes each, and for
    /// each bank in the order of the TCG's numbers: number (two bytes), mode (one), value. Integers are little-endian.
    public var bytes: [UInt8] {
        var bytes = Self.magic + [Self.version, UInt8(truncatingIfNeeded: pcr)]
        bytes.append(UInt8(truncatingIfNeeded: registers.count))
        Self.append(UInt64(entryCount), to: &bytes)
        Self.append(UInt64(violationCount), to: &bytes)
        for (number, bank) in Self.banks {
            guard let register = registers[bank] else { continue }
            Self.append(number, to: &bytes)
            bytes.append(register.mode.rawValue)
            bytes += register.value
        }
        return bytes
    }

    /// Reads what ``bytes`` wrote; `nil` for anything else, at most 196 bytes being read. Then ask for the whole list.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= 196, bytes.count >= 23, bytes.starts(with: Self.magic + [Self.version]), bytes[5] < 24
        else { return nil }
        let entries = Self.uint64(bytes[7..<15]), violations = Self.uint64(bytes[15..<23])
        guard entries <= UInt64(Self.maximumEntryCount), violations <= entries else { return nil }
        var rest = bytes[23...], registers: [HashAlgorithm: Register] = [:], lastNumber: UInt16 = 0
        while !rest.isEmpty {
            guard rest.count >= 3 else { return nil }
            let number = UInt16(rest[rest.startIndex]) | UInt16(rest[rest.startIndex + 1]) << 8
            guard number > lastNumber, let bank = TPM.AlgorithmID(rawValue: number).hash,
                let mode = IMAReplay.Mode(rawValue: rest[rest.startIndex + 2])
            else { return nil }
            rest = rest.dropFirst(3)
            guard rest.count >= bank.byteCount else { return nil }
            registers[bank] = Register(mode: mode, value: Array(rest.prefix(bank.byteCount)))
            rest = rest.dropFirst(bank.byteCount)
            lastNumber = number
        }
        guard !registers.isEmpty, registers.count == Int(bytes[6]) else { return nil }
        self.init(
            pcr: Int(bytes[5]), entryCount: Int(entries), violationCount: Int(violations), registers: registers)
    }

    private static let magic: [UInt8] = [0x43, 0x49, 0x4D, 0x41]
    private static let version: UInt8 = 1

    private static let banks = HashAlgorithm.allCases.map { (TPM.AlgorithmID($0).rawValue, $0) }.sorted { $0.0 < $1.0 }

    private static func append(_ value: some FixedWidthInteger, to output: inout [UInt8]) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            output.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    private static func uint64(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

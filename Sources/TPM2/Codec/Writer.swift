extension TPM {
    /// Writes big-endian fields one after another.
    struct Writer {
        private(set) var bytes: [UInt8] = []

        mutating func uint8(_ value: UInt8) { bytes.append(value) }
        mutating func uint16(_ value: UInt16) { integer(value) }
        mutating func uint32(_ value: UInt32) { integer(value) }
        mutating func uint64(_ value: UInt64) { integer(value) }
        mutating func raw(_ value: some Collection<UInt8>) { bytes += value }

        /// A TPM2B. Values longer than 65,535 bytes do not occur: every caller bounds its own.
        mutating func sized(_ value: some Collection<UInt8>) {
            uint16(UInt16(clamping: value.count))
            bytes += value.prefix(Int(UInt16.max))
        }

        private mutating func integer(_ value: some FixedWidthInteger) {
            for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
    }
}

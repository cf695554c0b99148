extension TPM {
    /// Which PCRs of one bank (`TPMS_PCR_SELECTION`, Part 2 §10.6.1).
    public struct PCRSelection: Sendable, Hashable {
        /// The bank, named by its hash.
        public let bank: AlgorithmID
        /// `pcrSelect`: bit i of byte i/8 stands for PCR i. 3 or 4 bytes on every TPM of the PC Client profile.
        public let bitmap: [UInt8]

        /// The selected PCRs, ascending.
        public var indices: [Int] {
            bitmap.indices.flatMap { byte in (0..<8).filter { bitmap[byte] >> UInt8($0) & 1 == 1 }.map { byte * 8 + $0 }
            }
        }

        /// PCRs 0 to 23 of one bank, as a bitmap of 3 bytes; larger indices are ignored.
        public init(bank: AlgorithmID, indices: some Sequence<Int>) {
            self.bank = bank
            var bitmap: [UInt8] = [0, 0, 0]
            for index in indices where (0..<24).contains(index) { bitmap[index / 8] |= 1 << UInt8(index % 8) }
            self.bitmap = bitmap
        }

        init(reading reader: inout Reader) throws(ParseError) {
            bank = AlgorithmID(rawValue: try reader.uint16("pcrSelect.hash"))
            let size = try reader.uint8("pcrSelect.sizeofSelect")
            guard (1...4).contains(size) else {
                throw .invalid(field: "pcrSelect.sizeofSelect", reason: "is \(size); 1 to 4 bytes are read")
            }
            bitmap = try reader.bytes(Int(size), "pcrSelect.pcrSelect")
        }
    }

    /// A list of banks and PCRs (`TPML_PCR_SELECTION`, Part 2 §10.9.7), in the order in which their values are hashed.
    public struct PCRSelectionList: Sendable, Hashable {
        public let selections: [PCRSelection]

        /// A list of selections in this order.
        public init(_ selections: [PCRSelection]) { self.selections = selections }

        /// PCRs of one bank.
        public init(bank: AlgorithmID, indices: some Sequence<Int>) {
            selections = [PCRSelection(bank: bank, indices: indices)]
        }

        /// Reads one structure and requires that it fills `bytes` exactly.
        public init(parsing bytes: [UInt8]) throws(ParseError) {
            var reader = Reader(bytes)
            self = try Self(reading: &reader)
            try reader.end()
        }

        init(reading reader: inout Reader) throws(ParseError) {
            let count = try reader.uint32("pcrSelect.count")
            guard count <= 16 else {
                throw .invalid(field: "pcrSelect.count", reason: "is \(count); at most 16 banks are read")
            }
            var selections: [PCRSelection] = []
            for _ in 0..<count { selections.append(try PCRSelection(reading: &reader)) }
            self.selections = selections
        }

        /// The structure as a TPM writes it.
        public var bytes: [UInt8] {
            var writer = Writer()
            writer.uint32(UInt32(clamping: selections.count))
            for selection in selections {
                writer.uint16(selection.bank.rawValue)
                writer.uint8(UInt8(clamping: selection.bitmap.count))
                writer.raw(selection.bitmap)
            }
            return writer.bytes
        }

        /// How many PCRs are selected in all banks together.
        public var pcrCount: Int {
            selections.reduce(0) { $0 + $1.bitmap.reduce(0) { $0 + $1.nonzeroBitCount } }
        }
    }
}

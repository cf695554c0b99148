import CLibPQ

/// The values of a statement in the binary form that libpq sends: integers as 8 bytes, big-endian; text and bytes as they are.
///
/// Source: PostgreSQL documentation, chapter 34.3, `PQexecParams`; the numbers of types are `pg_type.dat`'s.
struct PostgreSQLParameters {
    /// `int8`, `text` and `bytea`; 0 for null, whose type the server infers.
    let types: [Oid]
    private let lengths: [Int32]
    private let offsets: [Int?]
    private let bytes: [UInt8]

    static let int8: Oid = 20, text: Oid = 25, bytea: Oid = 17

    init(_ values: [SQLValue]) throws(PostgreSQLFailure) {
        var types: [Oid] = [], offsets: [Int?] = [], lengths: [Int32] = [], bytes: [UInt8] = []
        for value in values {
            let start = bytes.count
            switch value {
            case .null: types.append(0)
            case .integer(let integer):
                types.append(Self.int8)
                withUnsafeBytes(of: integer.bigEndian) { bytes += $0 }
            case .text(let text):
                types.append(Self.text)
                bytes += text.utf8
            case .bytes(let content):
                types.append(Self.bytea)
                bytes += content
            }
            guard let length = Int32(exactly: bytes.count - start) else {
                throw PostgreSQLFailure(.refused, "a value has more than 2 GiB")
            }
            lengths.append(length)
            offsets.append(value == .null ? nil : start)
        }
        // So that the last value has an address even if it is empty: none means null.
        bytes.append(0)
        (self.types, self.offsets, self.lengths, self.bytes) = (types, offsets, lengths, bytes)
    }

    /// Calls libpq with the values' addresses, lengths and formats.
    func withValues<Result>(
        _ body: (
            _ count: Int32, _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: [Int32], _ formats: [Int32]
        ) -> Result
    ) -> Result {
        bytes.withUnsafeBytes { buffer in
            let base = buffer.bindMemory(to: CChar.self).baseAddress
            let addresses = offsets.map { offset in offset.flatMap { base?.advanced(by: $0) } }
            return addresses.withUnsafeBufferPointer {
                body(Int32(types.count), $0.baseAddress, lengths, types.map { _ in 1 })
            }
        }
    }
}

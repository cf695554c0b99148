/// A position in a log that never passes its end. It holds no bytes, so reading copies nothing.
struct LittleEndianCursor {
    private(set) var position: Int
    private let end: Int

    init(count: Int) { self.init(start: 0, end: count) }

    init(start: Int, end: Int) {
        position = start
        self.end = end
    }

    var remaining: Int { end - position }

    /// Whether only padding is left: nothing, zeros, or ones.
    func isAtPadding(_ bytes: [UInt8]) -> Bool {
        guard position < end else { return true }
        let filler = bytes[position]
        return (filler == 0 || filler == 0xFF) && bytes[position..<end].allSatisfy { $0 == filler }
    }

    mutating func range(_ count: Int, _ event: Int?, _ field: String) throws(EventLogError) -> Range<Int> {
        guard count >= 0, count <= remaining else { throw .truncated(event: event, field: field) }
        defer { position += count }
        return position..<(position + count)
    }

    mutating func uint8(_ bytes: [UInt8], _ event: Int?, _ field: String) throws(EventLogError) -> UInt8 {
        bytes[try range(1, event, field).lowerBound]
    }

    mutating func uint16(_ bytes: [UInt8], _ event: Int?, _ field: String) throws(EventLogError) -> UInt16 {
        let start = try range(2, event, field).lowerBound
        return UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8
    }

    mutating func uint32(_ bytes: [UInt8], _ event: Int?, _ field: String) throws(EventLogError) -> UInt32 {
        let start = try range(4, event, field).lowerBound
        return UInt32(bytes[start]) | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2]) << 16
            | UInt32(bytes[start + 3]) << 24
    }
}

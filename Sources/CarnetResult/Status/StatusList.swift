/// The statuses of many tokens, 1, 2, 4 or 8 bits each (draft-ietf-oauth-status-list-21 §4.1).
///
/// Index 0 is in the least significant bits of the first byte. Looking one up costs the same whatever the list's size; the list takes
/// `count * width / 8` bytes of memory and no more.
public struct StatusList: Sendable, Hashable {
    /// How many bits a status takes.
    public enum Width: Int, Sendable, Hashable, CaseIterable {
        case one = 1
        case two = 2
        case four = 4
        case eight = 8

        /// How many statuses are in one byte.
        public var countPerByte: Int { 8 / rawValue }
        /// The largest status.
        var mask: UInt8 { UInt8.max >> UInt8(8 - rawValue) }
    }

    /// The most entries of a list: 16,777,216, which take 2 MiB with one bit each and 16 MiB with eight.
    public static let maximumCount = 1 << 24

    /// The width of each entry.
    public let width: Width
    /// The entries, packed.
    public private(set) var bytes: [UInt8]

    /// A list that says ``TokenStatus/valid`` at every index. Its count is rounded up to whole bytes.
    ///
    /// - Throws: ``StatusListError/Code/tooLarge`` for a count that is negative or above ``maximumCount``.
    public init(width: Width = .one, count: Int) throws(StatusListError) {
        guard (0...Self.maximumCount).contains(count) else {
            throw StatusListError(.tooLarge, "a list of \(count) entries; at most \(Self.maximumCount) are handled")
        }
        self.width = width
        bytes = [UInt8](repeating: 0, count: (count + width.countPerByte - 1) / width.countPerByte)
    }

    /// A list that is packed already.
    ///
    /// - Throws: ``StatusListError/Code/tooLarge`` for more than ``maximumCount`` entries.
    public init(width: Width, packed bytes: [UInt8]) throws(StatusListError) {
        guard bytes.count <= Self.maximumCount / width.countPerByte else {
            throw StatusListError(
                .tooLarge, "a list of \(bytes.count) bytes; at most \(Self.maximumCount) entries are handled")
        }
        self.width = width
        self.bytes = bytes
    }

    /// How many entries there are.
    public var count: Int { bytes.count * width.countPerByte }

    /// The status at an index, or `nil` when the list ends before it.
    public subscript(index: Int) -> TokenStatus? {
        guard (0..<count).contains(index) else { return nil }
        return TokenStatus(rawValue: bytes[index / width.countPerByte] >> shift(index) & width.mask)
    }

    /// Whether another list says that something stands which this one does not.
    package func isTakenBack(by other: StatusList) -> Bool {
        if width == other.width, count == other.count, bytes == other.bytes { return false }
        for byte in bytes.indices where bytes[byte] != 0 {
            let first = byte * width.countPerByte
            for index in first..<min(first + width.countPerByte, count) where self[index] != .valid {
                if (other[index] ?? .valid) == .valid { return true }
            }
        }
        return false
    }

    /// Sets the status at an index.
    ///
    /// - Returns: Whether it was set: the index is in the list, and the status fits in its width.
    @discardableResult
    public mutating func set(_ status: TokenStatus, at index: Int) -> Bool {
        guard (0..<count).contains(index), status.rawValue <= width.mask else { return false }
        let byte = index / width.countPerByte, shift = shift(index)
        bytes[byte] = bytes[byte] & ~(width.mask << shift) | status.rawValue << shift
        return true
    }

    private func shift(_ index: Int) -> UInt8 { UInt8(index % width.countPerByte * width.rawValue) }
}

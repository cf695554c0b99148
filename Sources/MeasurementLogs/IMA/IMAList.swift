/// The kernel's list of what it measured while running (`binary_runtime_measurements` in securityfs), little-endian.
///
/// Nothing in it is authentic. A quote vouches for the entries that ``IMAReplay`` finds below the quoted value: for their template
/// data and their order, never for their template names, nor for the SHA-1 digests that stand beside the data. Entries are views of
/// one buffer; beyond its bytes a list costs an index of four bytes for each entry, room being made for entries of 64 bytes.
///
/// Source: Linux, `Documentation/security/IMA-templates.rst` and `ima_measurements_show` in `security/integrity/ima/ima_fs.c`.
public struct IMAList: Sendable {
    /// The number of the first entry, counted from the boot's first: how many entries earlier parts of the list had.
    public let firstIndex: Int
    /// How many entries these bytes hold.
    public var count: Int { starts.count }

    let bytes: [UInt8]
    /// The offset of each entry in ``bytes``.
    let starts: [UInt32]

    /// How many bytes the first entries take, as many as there are and asked for.
    public func byteCount(ofFirst count: Int) -> Int {
        count < starts.count ? Int(starts[max(count, 0)]) : bytes.count
    }

    /// The entry at a position from 0 to ``count`` - 1 in these bytes.
    public subscript(position: Int) -> IMAEntry { IMAEntry(position: position, list: self) }

    /// Each entry in order.
    public var entries: some RandomAccessCollection<IMAEntry> { starts.indices.lazy.map { self[$0] } }
}

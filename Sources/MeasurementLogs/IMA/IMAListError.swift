/// Why bytes are not an IMA list that Carnet reads. Entries are counted from the boot's first, offsets from the first byte given.
public enum IMAListError: Error, Hashable, CustomStringConvertible {
    /// More bytes, entries or data than the limits allow.
    case tooLarge(String)
    /// A field runs past the end of the list.
    case truncated(entry: Int, offset: Int, field: String)
    /// A field is not what the kernel writes.
    case malformed(entry: Int, offset: Int, reason: String)

    /// A sentence that names the entry and the byte.
    public var description: String {
        switch self {
        case .tooLarge(let reason): "the IMA list is too large: \(reason)"
        case .truncated(let entry, let offset, let field):
            "entry \(entry) of the IMA list ends inside its \(field), at byte \(offset)"
        case .malformed(let entry, let offset, let reason):
            "entry \(entry) of the IMA list \(reason), at byte \(offset)"
        }
    }
}

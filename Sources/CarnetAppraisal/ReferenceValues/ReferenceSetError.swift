/// Why bytes are no reference set, or a set cannot be.
public enum ReferenceSetError: Error, Hashable, CustomStringConvertible {
    /// More bytes, components or files than a set may have.
    case tooLarge(String)
    /// Not JSON as Carnet reads it.
    case notJSON(String)
    /// A member of the document is unknown, absent or not what it must be; the text begins with its place.
    case invalid(place: String, reason: String)
    /// A value stands twice.
    case duplicate(String)

    /// A sentence.
    public var description: String {
        switch self {
        case .tooLarge(let reason): "the reference set is too large: \(reason)"
        case .notJSON(let reason): "the reference set is not JSON that is read: \(reason)"
        case .invalid(let place, let reason): "\(place) of the reference set \(reason)"
        case .duplicate(let value): "the reference set has twice: \(value)"
        }
    }
}

/// What good machines may have: digests of images, files and keys, from outside of the machines.
///
/// A set is named by the SHA-256 of its bytes: equal content has equal bytes, because values are kept sorted and written in one way.
public struct ReferenceSet: Sendable, Equatable {
    /// The largest document, in bytes: 64 MiB.
    public static let maximumByteCount = 64 << 20
    /// The most components.
    public static let maximumComponentCount = 100_000
    /// The most files.
    public static let maximumFileCount = 500_000
    /// The most bytes of a description.
    public static let maximumDescriptionByteCount = 1024

    /// For policies and people: `^[a-z0-9._-]{1,64}$`.
    public let name: String
    /// For people: at most 1,024 bytes without control characters.
    public let description: String
    /// Sorted by class, name and digest; no two are the same.
    public let components: [ReferenceComponent]
    /// Sorted by path and digest; no two are the same. A path may have several digests.
    public let files: [ReferenceFile]

    /// A set of these values, in any order.
    ///
    /// - Throws: ``ReferenceSetError`` for a name, description or number that a set may not have, and for a value that stands twice,
    ///   be it with another window.
    public init(
        name: String, description: String = "", components: [ReferenceComponent] = [], files: [ReferenceFile] = []
    ) throws(ReferenceSetError) {
        guard Self.isName(name) else {
            throw .invalid(place: "the name", reason: "is not 1 to 64 of a-z, 0-9, full stop, _ and -")
        }
        guard description.utf8.count <= Self.maximumDescriptionByteCount,
            description.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            throw .invalid(
                place: "the description",
                reason: "has control characters or more than \(Self.maximumDescriptionByteCount) bytes")
        }
        guard components.count <= Self.maximumComponentCount else {
            throw .tooLarge("\(components.count) components; at most \(Self.maximumComponentCount) may be")
        }
        guard files.count <= Self.maximumFileCount else {
            throw .tooLarge("\(files.count) files; at most \(Self.maximumFileCount) may be")
        }
        self.name = name
        self.description = description
        self.components = Self.sorted(components, ReferenceComponent.precedes)
        self.files = Self.sorted(files, ReferenceFile.precedes)
        if let double = Self.firstDouble(self.components, ReferenceComponent.precedes) {
            throw .duplicate("\(double.type.rawValue) \(double.digest) \(double.name)")
        }
        if let double = Self.firstDouble(self.files, ReferenceFile.precedes) {
            throw .duplicate("\(String(decoding: double.path, as: UTF8.self)) \(double.digest)")
        }
    }

    /// Whether a text can name a set.
    public static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || [0x2E, 0x5F, 0x2D].contains($0)
            }
    }

    /// Whether both have the same values, name and description: whether their bytes are equal.
    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.description.utf8.elementsEqual(right.description.utf8)
            && left.components == right.components && left.files == right.files
    }

    /// What was written by Carnet is sorted already; then one pass is enough.
    private static func sorted<Value>(_ values: [Value], _ precedes: (Value, Value) -> Bool) -> [Value] {
        let isSorted = values.indices.dropFirst().allSatisfy { !precedes(values[$0], values[$0 - 1]) }
        return isSorted ? values : values.sorted(by: precedes)
    }

    private static func firstDouble<Value>(_ values: [Value], _ precedes: (Value, Value) -> Bool) -> Value? {
        values.indices.dropFirst().first { !precedes(values[$0 - 1], values[$0]) }.map { values[$0] }
    }
}

extension ReferenceSet {
    /// The components of a class that count at a time, in seconds since 1970-01-01T00:00:00Z.
    public func components(_ type: ReferenceComponent.Class, inForceAt seconds: Int64) -> [ReferenceComponent] {
        components.filter { $0.type == type && $0.window.contains(seconds) }
    }
}

/// Which values one set has and another has not. A component whose window changed is removed and added.
public struct ReferenceDifference: Sendable {
    /// The components that only the newer set has, sorted.
    public let addedComponents: [ReferenceComponent]
    /// The components that only the older set has, sorted.
    public let removedComponents: [ReferenceComponent]
    /// The files that only the newer set has, sorted.
    public let addedFiles: [ReferenceFile]
    /// The files that only the older set has, sorted.
    public let removedFiles: [ReferenceFile]

    /// What changes from one set to the other.
    public init(from old: ReferenceSet, to new: ReferenceSet) {
        let oldComponents = Set(old.components), newComponents = Set(new.components)
        addedComponents = new.components.filter { !oldComponents.contains($0) }
        removedComponents = old.components.filter { !newComponents.contains($0) }
        addedFiles = Self.only(in: new.files, not: old.files)
        removedFiles = Self.only(in: old.files, not: new.files)
    }

    /// Whether both sets have the same values.
    public var isEmpty: Bool {
        addedComponents.isEmpty && removedComponents.isEmpty && addedFiles.isEmpty && removedFiles.isEmpty
    }

    /// One walk through two sorted lists.
    private static func only(in first: [ReferenceFile], not second: [ReferenceFile]) -> [ReferenceFile] {
        var result: [ReferenceFile] = [], position = 0
        for file in first {
            while position < second.count, ReferenceFile.precedes(second[position], file) { position += 1 }
            if position >= second.count || ReferenceFile.precedes(file, second[position]) { result.append(file) }
        }
        return result
    }
}

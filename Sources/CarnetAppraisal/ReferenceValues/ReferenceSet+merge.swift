extension ReferenceSet {
    /// This set with the values of another one. Where both have a value, the other's window stands; name and description stay.
    ///
    /// - Throws: ``ReferenceSetError/tooLarge(_:)`` for more values than a set may have.
    public func merging(_ other: ReferenceSet) throws(ReferenceSetError) -> ReferenceSet {
        try merging(components: other.components, files: other.files)
    }

    /// This set with more values. Where it has a component already, the new one's window stands; the last of several that are the same.
    ///
    /// - Throws: ``ReferenceSetError/tooLarge(_:)`` for more values than a set may have.
    public func merging(
        components newer: [ReferenceComponent] = [], files more: [ReferenceFile] = []
    ) throws(ReferenceSetError) -> ReferenceSet {
        var known: [ReferenceComponent.Identity: ReferenceComponent] = [:]
        for component in components + newer { known[component.identity] = component }
        return try ReferenceSet(
            name: name, description: description, components: Array(known.values),
            files: more.isEmpty ? files : Array(Set(files).union(more)))
    }
}

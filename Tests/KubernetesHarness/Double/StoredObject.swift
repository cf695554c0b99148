import NIOCore

/// An object as the store keeps it.
struct StoredObject: Sendable {
    let kind: ResourceKind
    /// With its `resourceVersion` inside, and without `kind` and `apiVersion`, as the items of a list are.
    let value: HarnessJSON
    /// The version that `metadata.resourceVersion` spells.
    let version: Int
    /// The value's JSON.
    let item: ByteBuffer

    init(_ kind: ResourceKind, _ value: HarnessJSON, version: Int) {
        var value = value
        value["kind"] = nil
        value["apiVersion"] = nil
        value["metadata", "resourceVersion"] = .string(String(version))
        self.kind = kind
        self.value = value
        self.version = version
        item = ByteBuffer(bytes: value.bytes)
    }

    var namespace: String { value["metadata", "namespace"]?.string ?? "" }
    var name: String { value["metadata", "name"]?.string ?? "" }
    var key: ObjectKey { ObjectKey(namespace: namespace, name: name) }

    /// The object's JSON as it is told alone.
    var text: ByteBuffer {
        var text = ByteBuffer()
        text.reserveCapacity(item.readableBytes + 96)
        text.writeString("{\"kind\":\"\(kind.kind)\",\"apiVersion\":\"\(kind.apiVersion)\",")
        text.writeImmutableBuffer(item.getSlice(at: item.readerIndex + 1, length: item.readableBytes - 1) ?? item)
        return text
    }
}

extension ResourceKind {
    /// A value with the kind's name in it.
    func named(_ value: HarnessJSON) -> HarnessJSON {
        var value = value
        value["kind"] = .string(kind)
        value["apiVersion"] = .string(apiVersion)
        return value
    }
}

/// Where an object lies among those of its kind; in the order in which lists tell them.
struct ObjectKey: Sendable, Hashable, Comparable {
    /// Empty for objects outside of namespaces.
    let namespace: String
    let name: String

    static func < (first: Self, second: Self) -> Bool {
        // Byte by byte, as etcd sorts its keys.
        first.namespace == second.namespace
            ? first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
            : first.namespace.utf8.lexicographicallyPrecedes(second.namespace.utf8)
    }
}

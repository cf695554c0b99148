/// A part of a list.
package struct ObjectPage: Sendable {
    /// The objects, in the server's order.
    package let objects: [KubernetesObject]
    /// From where a watch of the whole list goes on.
    package let resourceVersion: String
    /// What asks for the next part; `nil` at the end.
    package let next: String?
}

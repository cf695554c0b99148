/// An object of the API, whole: what is known of every kind is read out of it, and the rest is kept.
package struct KubernetesObject: Sendable, Hashable {
    /// The object as it came, or as it is to be sent.
    package var json: JSONValue

    /// An object.
    package init(_ json: JSONValue) { self.json = json }

    private var metadata: JSONValue? { json["metadata"] }

    /// `metadata.name`; empty where there is none.
    package var name: String { metadata?["name"]?.string ?? "" }
    /// `metadata.uid`: another object of the same name has another.
    package var uid: String { metadata?["uid"]?.string ?? "" }
    /// `metadata.resourceVersion`: opaque, another after each change.
    package var resourceVersion: String { metadata?["resourceVersion"]?.string ?? "" }
    /// `metadata.creationTimestamp`, RFC 3339.
    package var creationTimestamp: String? { metadata?["creationTimestamp"]?.string }
    /// `metadata.labels`.
    package var labels: [String: String] { metadata?["labels"]?.strings ?? [:] }
    /// `metadata.annotations`.
    package var annotations: [String: String] { metadata?["annotations"]?.strings ?? [:] }
    /// `spec`.
    package var spec: JSONValue { json["spec"] ?? [:] }
    /// `status`.
    package var status: JSONValue { json["status"] ?? [:] }
}

/// A kind of object as the API's paths name it: group, version and plural, and a namespace where it has one.
package struct Resource: Sendable, Hashable, CustomStringConvertible {
    /// The group; empty for the oldest, as of nodes.
    package let group: String
    /// The version, as `v1`.
    package let version: String
    /// The name in paths, as `nodes`.
    package let plural: String
    /// The namespace; `nil` for objects of the whole cluster.
    package let namespace: String?

    /// A kind of object.
    package init(group: String = "", version: String = "v1", _ plural: String, namespace: String? = nil) {
        self.group = group
        self.version = version
        self.plural = plural
        self.namespace = namespace
    }

    /// `apiVersion` of such an object.
    package var apiVersion: String { group.isEmpty ? version : group + "/" + version }

    /// The path of all of them, or of one, or of a part of one.
    package func path(_ name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/" + version : "/apis/" + group + "/" + version
        if let namespace { path += "/namespaces/" + namespace.pathSegment }
        path += "/" + plural
        if let name { path += "/" + name.pathSegment }
        if let subresource { path += "/" + subresource }
        return path
    }

    /// Plural and group, as `certificatesigningrequests.certificates.k8s.io`.
    package var description: String { group.isEmpty ? plural : plural + "." + group }

    /// Nodes.
    package static let nodes = Resource("nodes")
    /// Certificate signing requests.
    package static let certificateSigningRequests = Resource(
        group: "certificates.k8s.io", "certificatesigningrequests")
    /// Leases, by which replicas agree on a leader.
    package static func leases(_ namespace: String) -> Resource {
        Resource(group: "coordination.k8s.io", "leases", namespace: namespace)
    }
    /// Configuration maps.
    package static func configMaps(_ namespace: String) -> Resource {
        Resource("configmaps", namespace: namespace)
    }
    /// Events. Those of objects of the whole cluster are in the namespace `default`.
    package static func events(_ namespace: String = "default") -> Resource {
        Resource("events", namespace: namespace)
    }
}

extension String {
    /// The text as a segment of a path: what RFC 3986 §2.3 does not leave alone is percent-encoded.
    var pathSegment: String {
        let hexadecimal = Array("0123456789ABCDEF")
        return utf8.reduce(into: "") { text, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += "%"
                text.append(hexadecimal[Int(byte >> 4)])
                text.append(hexadecimal[Int(byte & 15)])
            }
        }
    }
}

internal import StrictEncoding

/// What a client of Kubernetes and its credential plugin say to one another (client.authentication.k8s.io).
package struct ExecCredential: Sendable, Hashable {
    /// The version that the client speaks, and is answered in.
    package let apiVersion: String

    /// The versions that are spoken.
    package static let versions = ["v1", "v1beta1"].map { "client.authentication.k8s.io/" + $0 }

    /// Why the client's words cannot be used.
    package struct Unusable: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Reads what the client says in `KUBERNETES_EXEC_INFO`; without it, as when a person tries the command, the latest version is spoken.
    package init(environment: [String: String]) throws(Unusable) {
        guard let text = environment["KUBERNETES_EXEC_INFO"] else {
            apiVersion = Self.versions[0]
            return
        }
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: Array(text.utf8), maximumByteCount: 1 << 20, maximumDepth: 16).root
        } catch {
            throw Unusable(description: "KUBERNETES_EXEC_INFO is not JSON that can be read in one way: \(error)")
        }
        guard root["kind"]?.string == "ExecCredential" else {
            throw Unusable(description: "KUBERNETES_EXEC_INFO holds no ExecCredential.")
        }
        guard let version = root["apiVersion"]?.string, Self.versions.contains(version) else {
            throw Unusable(
                description:
                    "The client speaks another version than \(Self.versions.joined(separator: " or ")): say one of these in its kubeconfig (exec.apiVersion)."
            )
        }
        apiVersion = version
    }

    /// The answer: a token, and until when the client may use it, in seconds since 1970.
    package func answer(_ token: [UInt8], until end: Int64) -> String {
        let bytes = JSONWriter.object { writer in
            writer.string("apiVersion", apiVersion)
            writer.string("kind", "ExecCredential")
            writer.object("status") { writer in
                writer.string("expirationTimestamp", RFC3339.format(end))
                writer.string("token", String(decoding: token, as: UTF8.self))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

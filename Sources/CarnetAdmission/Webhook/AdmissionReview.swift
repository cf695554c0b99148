package import KubernetesAPI

/// What the API server asks a webhook about (`admission.k8s.io/v1`, `AdmissionReview`), as far as the gate looks at it.
package struct AdmissionReview: Sendable {
    /// What is to be repeated in the answer.
    package let uid: String
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    package let operation: String
    /// The resource's plural.
    package let resource: String
    /// The part of an object that is written; empty for the object.
    package let subresource: String
    /// The object's name, where the request names one.
    package let name: String
    /// Who asks.
    package let username: String
    /// The groups of whoever asks.
    package let groups: [String]
    /// The object as it would be; `nil` for a deletion.
    package let object: KubernetesObject?
    /// The object as it is; `nil` for a creation.
    package let oldObject: KubernetesObject?

    /// Why a body is no review.
    package struct Unreadable: Error, CustomStringConvertible {
        /// For people.
        package let description: String
    }

    /// Reads a body.
    package init(parsing body: [UInt8]) throws(Unreadable) {
        let json: JSONValue
        do throws(JSONValue.Unreadable) { json = try JSONValue(parsing: body, maximumValueCount: 100_000) } catch {
            throw Unreadable(description: "The body is no JSON: \(error).")
        }
        guard json["apiVersion"]?.string == "admission.k8s.io/v1", json["kind"]?.string == "AdmissionReview",
            let request = json["request"], let uid = request["uid"]?.string, (1...128).contains(uid.utf8.count),
            let operation = request["operation"]?.string, let resource = request["resource"]?["resource"]?.string,
            let username = request["userInfo"]?["username"]?.string
        else {
            throw Unreadable(description: "The body is no AdmissionReview of admission.k8s.io/v1 with a request.")
        }
        self.uid = uid
        self.operation = operation
        self.resource = resource
        self.username = username
        subresource = request["subResource"]?.string ?? ""
        name = request["name"]?.string ?? ""
        groups = request["userInfo"]?["groups"]?.elements?.compactMap(\.string) ?? []
        object = Self.object(request["object"])
        oldObject = Self.object(request["oldObject"])
    }

    private static func object(_ json: JSONValue?) -> KubernetesObject? {
        json?.members.map { KubernetesObject(.object($0)) }
    }

    /// What the gate says.
    package enum Answer: Sendable, Hashable {
        case allowed
        /// Allowed, with a word to whoever asked.
        case warned(String)
        /// Refused: a reason in CamelCase, and a message.
        case refused(String, String)
    }

    /// The answer's body.
    package func body(_ answer: Answer) -> [UInt8] {
        var response: JSONValue = ["uid": .string(uid), "allowed": true]
        switch answer {
        case .allowed: break
        case .warned(let text): response["warnings"] = [.string(String(text.prefix(250)))]
        case .refused(let reason, let message):
            response["allowed"] = false
            response["status"] = [
                "code": 403, "reason": "Forbidden",
                "message": .string("carnet-admission: " + reason + ": " + String(message.prefix(1000))),
            ]
        }
        return (["apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response] as JSONValue)
            .bytes
    }
}

import Foundation
import NIOCore
import StrictEncoding

extension ClusterDouble {
    /// Answers whether the caller may do something (`SelfSubjectAccessReview`).
    func reviewAccess(_ body: HarnessJSON, _ caller: Caller) throws -> Reply {
        let action: RequestedAction
        if let wanted = body["spec"]?["resourceAttributes"] {
            let resource = wanted["resource"]?.string ?? "", below = wanted["subresource"]?.string ?? ""
            action = RequestedAction(
                verb: wanted["verb"]?.string ?? "", group: wanted["group"]?.string ?? "",
                resource: below.isEmpty ? resource : resource + "/" + below,
                namespace: wanted["namespace"]?.string ?? "", name: wanted["name"]?.string ?? "")
        } else if let wanted = body["spec"]?["nonResourceAttributes"] {
            action = RequestedAction(
                verb: wanted["verb"]?.string ?? "", group: "", resource: "", namespace: "", name: "",
                path: wanted["path"]?.string ?? "")
        } else {
            throw StatusFailure.invalid(
                .accessReviews, "",
                [
                    .invalid(
                        "spec.resourceAttributes", "null",
                        "exactly one of nonResourceAttributes or resourceAttributes must be specified")
                ])
        }
        var review = ResourceKind.accessReviews.named(body)
        review["status"] = ["allowed": .boolean(authorization.allows(caller, action))]
        return .object(code: 201, ByteBuffer(bytes: review.bytes))
    }

    /// Gives out a token of a service account (`TokenRequest`).
    func grantToken(_ path: RequestPath, _ body: HarnessJSON) throws -> Reply {
        guard let account = store.object(.serviceAccounts, path.key) else {
            throw StatusFailure.notFound(.serviceAccounts, path.name)
        }
        let token = "carnet-double.\(path.namespace).\(path.name).\(UUID().uuidString.lowercased())"
        learn(
            token,
            Caller(
                name: "system:serviceaccount:\(path.namespace):\(path.name)",
                groups: [
                    "system:serviceaccounts", "system:serviceaccounts:" + path.namespace, "system:authenticated",
                ], uid: account.value["metadata", "uid"]?.string ?? ""))
        let seconds = body["spec"]?["expirationSeconds"]?.integer ?? 3600
        let answer: HarnessJSON = [
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": ["name": .string(path.name), "namespace": .string(path.namespace)],
            "spec": body["spec"] ?? [:],
            "status": [
                "token": .string(token), "expirationTimestamp": .string(RFC3339.format(options.now() + seconds)),
            ],
        ]
        return .object(code: 201, ByteBuffer(bytes: answer.bytes))
    }
}

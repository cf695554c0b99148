@testable import CarnetAdmission
import CarnetResult
import Cryptography
import Foundation
import KubernetesAPI
import StrictEncoding
import Testing

/// Who may write the gate's marks, and who may register nodes. The gate's user is `gate`, its operators' group `sre`.
@Suite("Rules of the webhook") struct ReviewRulesTests {
    private let rules = ReviewRules(gateUser: "gate", operatorGroups: ["sre"], exempt: ["control-1"])

    private static let taint: JSONValue = ["key": "carnet.dev/unattested", "value": "never", "effect": "NoSchedule"]

    private func node(
        _ name: String = "a", taints: [JSONValue] = [taint], label: Bool = false, passport: String? = nil
    ) -> JSONValue {
        var metadata: JSONValue = ["name": .string(name)]
        if label { metadata["labels"] = [NodeMark.label: "true"] }
        if let passport { metadata["annotations"] = [NodeMark.passport: .string(passport)] }
        return ["metadata": metadata, "spec": ["taints": .array(taints)]]
    }

    private func review(
        _ operation: String, by user: String, groups: [String] = [], _ object: JSONValue?, old: JSONValue? = nil,
        resource: String = "nodes", subresource: String = ""
    ) throws -> AdmissionReview {
        var request: JSONValue = [
            "uid": "u", "operation": .string(operation), "resource": ["resource": .string(resource)],
            "subResource": .string(subresource),
            "userInfo": ["username": .string(user), "groups": .array(groups.map { .string($0) })],
        ]
        request["object"] = object
        request["oldObject"] = old
        return try AdmissionReview(
            parsing: (["apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request] as JSONValue)
                .bytes)
    }

    private func word(_ answer: AdmissionReview.Answer) -> String {
        if case .refused(let reason, _) = answer { reason } else { "allowed" }
    }

    private func creation(_ object: JSONValue?, by user: String, groups: [String] = []) throws -> String {
        word(rules.node(try review("CREATE", by: user, groups: groups, object)))
    }

    private func update(_ old: JSONValue, _ object: JSONValue, by user: String, groups: [String] = []) throws -> String
    {
        word(rules.node(try review("UPDATE", by: user, groups: groups, object, old: old)))
    }

    @Test("A kubelet registers its own node, with the taint and without the label") func joining() throws {
        #expect(try creation(node(), by: "system:node:a") == "allowed")
        #expect(try creation(node("b"), by: "system:node:a") == "NodeIsAnothers")
        #expect(try creation(node("A"), by: "system:node:A") == "NodeIsAnothers")
        #expect(try creation(node(taints: []), by: "system:node:a") == "TaintMissing")
        #expect(
            try creation(node(taints: [["key": "other", "effect": "NoSchedule"]]), by: "system:node:a")
                == "TaintMissing")
        let soft: JSONValue = ["key": "carnet.dev/unattested", "effect": "PreferNoSchedule"]
        #expect(try creation(node(taints: [soft]), by: "system:node:a") == "TaintMissing")
        // A value or a time of the gate's would be a past that the node never had.
        for (value, time) in [("revoked", nil), ("lapsed", nil), ("never", "2020-01-01T00:00:00Z")] {
            var forged = Self.taint
            forged["value"] = .string(value)
            forged["timeAdded"] = time.map { .string($0) }
            #expect(try creation(node(taints: [forged]), by: "system:node:a") == "TaintMissing")
        }
        #expect(try creation(node(label: true), by: "system:node:a") == "LabelNotAllowed")
        #expect(try creation(node("control-1", taints: []), by: "system:node:control-1") == "allowed")
        #expect(try creation(node("control-1", taints: []), by: "system:node:a") == "NodeIsAnothers")
        #expect(try creation(nil, by: "system:node:a") == "ReviewIncomplete")
    }

    @Test(
        "A kubelet says neither how long its node is there, nor an address twice",
        arguments: ["ownerReferences", "finalizers"])
    func life(field: String) throws {
        var bound = node()
        bound["metadata"]?[field] = ["x"]
        #expect(try creation(bound, by: "system:node:a") == "LifeIsNotTheNodes")
        #expect(try update(node(), bound, by: "system:node:a") == "LifeIsNotTheNodes")
        #expect(try update(bound, node(), by: "system:node:a") == "LifeIsNotTheNodes")
        #expect(try update(bound, bound, by: "system:node:a") == "allowed")
        // Controllers of clouds do.
        #expect(try update(node(), bound, by: "system:serviceaccount:kube-system:cloud") == "allowed")
        var twice = node()
        let address: JSONValue = ["type": "InternalIP", "address": "10.0.0.5"]
        twice["status"] = ["addresses": [address, address]]
        #expect(try creation(twice, by: "system:node:a") == "AddressTwice")
        twice["status"] = ["addresses": [address, ["type": "ExternalIP", "address": "10.0.0.5"]]]
        #expect(try creation(twice, by: "system:node:a") == "allowed")
    }

    @Test("What only Swift takes for the same is another passport, and another group") func bytes() throws {
        let kelvin = "a\u{212A}"
        #expect(try update(node(passport: "aK"), node(passport: kelvin), by: "mallory") == "PassportNotAllowed")
        let strict = ReviewRules(gateUser: "gate", operatorGroups: ["K"], exempt: [])
        for (group, expected) in [("K", "allowed"), ("\u{212A}", "TaintIsTheGates")] {
            let asked = try review("UPDATE", by: "mallory", groups: [group], node(taints: []), old: node())
            #expect(word(strict.node(asked)) == expected)
        }
    }

    @Test("Others register nodes under the same rules; the gate and its operators may do as they like")
    func others() throws {
        #expect(try creation(node(), by: "cloud") == "allowed")
        #expect(try creation(node(taints: []), by: "cloud") == "TaintMissing")
        #expect(try creation(node(label: true), by: "cloud") == "LabelNotAllowed")
        #expect(try creation(node(passport: "x"), by: "cloud") == "PassportNotAllowed")
        #expect(try creation(node(taints: [], label: true), by: "gate") == "allowed")
        #expect(try creation(node(taints: [], label: true), by: "olga", groups: ["sre"]) == "allowed")
        // A kubelet with a group that it should not have is a kubelet all the same.
        #expect(try creation(node("b"), by: "system:node:a", groups: ["sre"]) == "NodeIsAnothers")
    }

    @Test("The taint and the label are the gate's, and the passport the node's") func marks() throws {
        let cases: [(JSONValue, JSONValue, String)] = [
            (node(), node(taints: []), "TaintIsTheGates"),
            (node(taints: []), node(), "TaintIsTheGates"),
            (
                node(), node(taints: [["key": "carnet.dev/unattested", "value": "never", "effect": "NoExecute"]]),
                "TaintIsTheGates"
            ),
            (node(), node(label: true), "LabelIsTheGates"), (node(label: true), node(), "LabelIsTheGates"),
        ]
        for (old, new, reason) in cases {
            for user in ["system:node:a", "olga", "system:serviceaccount:kube-system:node-controller"] {
                #expect(try update(old, new, by: user) == reason)
            }
            #expect(try update(old, new, by: "gate") == "allowed")
            #expect(try update(old, new, by: "olga", groups: ["sre"]) == "allowed")
        }
        #expect(try update(node(), node(passport: "x"), by: "system:node:a") == "allowed")
        #expect(try update(node(), node(passport: "x"), by: "system:node:b") == "PassportNotAllowed")
        #expect(try update(node(passport: "x"), node(), by: "olga") == "PassportNotAllowed")
        #expect(try update(node(), node(passport: "x"), by: "gate") == "allowed")
        let other: JSONValue = ["key": "example.org/slow", "effect": "NoSchedule"]
        #expect(try update(node(), node(taints: [other, Self.taint]), by: "olga") == "allowed")
    }

    @Test("Status writes carry labels, annotations and conditions too, and are held to the same") func status() throws {
        func attested(_ status: String) -> JSONValue {
            var object = node()
            object["status"] = [
                "conditions": [
                    ["type": "Ready", "status": "True"], ["type": "CarnetAttested", "status": .string(status)],
                ]
            ]
            return object
        }
        func update(_ old: JSONValue, _ object: JSONValue, by user: String) throws -> String {
            word(rules.node(try review("UPDATE", by: user, object, old: old, subresource: "status")))
        }
        for user in ["system:node:a", "olga"] {
            #expect(try update(node(), node(label: true), by: user) == "LabelIsTheGates")
            #expect(try update(attested("False"), attested("True"), by: user) == "ConditionIsTheGates")
            #expect(try update(attested("False"), node(), by: user) == "ConditionIsTheGates")
            var ready = attested("False")
            let conditions = ready["status"]?["conditions"]?.elements ?? []
            ready["status"] = ["conditions": .array(conditions + [["type": "DiskPressure", "status": "True"]])]
            #expect(try update(attested("False"), ready, by: user) == "allowed")
        }
        #expect(try update(node(), node(passport: "x"), by: "olga") == "PassportNotAllowed")
        #expect(try update(node(), attested("True"), by: "gate") == "allowed")
    }

    @Test("Whoever signs for other clients makes no node, and no gate") func otherClients() throws {
        let key = try PrivateKey.generate()
        func answer(_ names: [CertificateRequest.NameAttribute], signer: String = ReviewRules.otherClients) throws
            -> String
        {
            let der = try CertificateRequest(subject: names, signedBy: key).der
            let text = PEM.Block(label: PassportCarrier.requestLabel, content: der).text
            var object = request(signer, ["Approved"])
            object["spec"]?["request"] = .string(Data(text.utf8).base64EncodedString())
            let review = try review("UPDATE", by: "olga", object, resource: "certificatesigningrequests")
            #expect(word(rules.approval(review)) == word(rules.otherClient(KubernetesObject(object))))
            return word(rules.otherClient(KubernetesObject(object)))
        }
        #expect(try answer([.organization("developers"), .commonName("olga")]) == "allowed")
        for names: [CertificateRequest.NameAttribute] in [
            [.organization("system:nodes"), .commonName("olga")], [.commonName("system:node:a")],
            [.organization("x"), .organization("system:nodes")], [.commonName("gate")],
        ] {
            #expect(try answer(names) == "SubjectIsReserved")
        }
        #expect(try answer([.commonName("system:node:a")], signer: "example.org/other") == "allowed")
        #expect(word(rules.otherClient(KubernetesObject(request(ReviewRules.otherClients, [])))) == "RequestUnreadable")
    }

    private func request(_ signer: String, _ conditions: [String]) -> JSONValue {
        [
            "metadata": ["name": "csr-1"], "spec": ["signerName": .string(signer)],
            "status": ["conditions": .array(conditions.map { ["type": .string($0), "status": "True"] })],
        ]
    }

    @Test(
        "Requests for kubelets' certificates are approved by the gate alone, and may be denied by others",
        arguments: [
            ("kubernetes.io/kube-apiserver-client-kubelet", "Approved", "olga", "ApprovalIsTheGates"),
            (
                "kubernetes.io/kubelet-serving", "Approved", "system:serviceaccount:kube-system:certificate-controller",
                "ApprovalIsTheGates"
            ),
            ("kubernetes.io/kubelet-serving", "Approved", "gate", "allowed"),
            ("kubernetes.io/kubelet-serving", "Denied", "olga", "allowed"),
            ("example.org/other", "Approved", "olga", "allowed"),
        ])
    func approvals(signer: String, condition: String, user: String, expected: String) throws {
        let asked = try review(
            "UPDATE", by: user, groups: ["sre"], request(signer, [condition]), old: request(signer, []),
            resource: "certificatesigningrequests", subresource: "approval")
        #expect(word(rules.approval(asked)) == expected)
        let again = try review(
            "UPDATE", by: user, request(signer, [condition]), old: request(signer, [condition]),
            resource: "certificatesigningrequests", subresource: "approval")
        #expect(word(rules.approval(again)) == "allowed")
        // A request that names another signer by now is one for the signer that it named, too.
        let renamed = try review(
            "UPDATE", by: user, request("example.org/other", [condition]), old: request(signer, []),
            resource: "certificatesigningrequests", subresource: "approval")
        #expect(word(rules.approval(renamed)) == expected)
    }

    @Test("What is no review is refused, and the answer repeats what it is an answer to") func reviews() throws {
        for body in [
            "", "{}", "[]", #"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#,
            #"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","resource":{"resource":"nodes"},"userInfo":{"username":"a"}}}"#,
            #"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"","operation":"CREATE","resource":{"resource":"nodes"},"userInfo":{"username":"a"}}}"#,
            #"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","resource":{"resource":"nodes"},"userInfo":{}}}"#,
        ] {
            #expect(throws: AdmissionReview.Unreadable.self) { try AdmissionReview(parsing: Array(body.utf8)) }
        }
        let asked = try review("CREATE", by: "system:node:a", node())
        let answer = try JSONValue(parsing: asked.body(.refused("R", "because")))
        #expect(answer["response"]?["uid"] == "u" && answer["response"]?["allowed"] == false)
        #expect(answer["response"]?["status"]?["message"] == "carnet-admission: R: because")
        let warned = try JSONValue(parsing: asked.body(.warned("soon")))
        #expect(warned["response"]?["allowed"] == true && warned["response"]?["warnings"] == ["soon"])
    }
}

import KubernetesAPI
import NodeAdmission
import StrictEncoding

/// What the approver keeps of a CertificateSigningRequest for one of the kubelets' signers.
enum SigningRequest: Sendable {
    /// Nobody has decided; the object is kept whole, to be written back.
    case undecided(KubernetesObject, NodeCertificateRequest)
    /// Somebody approved it.
    case approved(uid: String, NodeCertificateRequest.Signer, tokenID: String?)
    /// It was denied, or failed.
    case closed

    /// `nil` for requests to other signers, which are nothing to the gate.
    init?(_ object: KubernetesObject) {
        guard let signer = NodeCertificateRequest.Signer(rawValue: object.spec["signerName"]?.string ?? "") else {
            return nil
        }
        let conditions = (object.status["conditions"]?.elements ?? []).compactMap { $0["type"]?.string }
        let request = NodeCertificateRequest(object, signer)
        if conditions.contains("Approved") {
            // Also where the signer failed afterwards: the passport served.
            self = .approved(uid: object.uid, signer, tokenID: request.statedTokenID)
        } else if conditions.contains("Denied") || conditions.contains("Failed") {
            self = .closed
        } else {
            self = .undecided(object, request)
        }
    }
}

extension NodeCertificateRequest {
    /// The request in an object of the API. What is missing is empty, which no rule takes.
    init(_ object: KubernetesObject, _ signer: Signer, username: String? = nil, groups: [String]? = nil) {
        let spec = object.spec
        self.init(
            name: object.name, signer: signer,
            request: spec["request"]?.string.flatMap { Base64.decode($0) } ?? [],
            usages: spec["usages"]?.elements?.map { $0.string ?? "" } ?? [],
            expirationSeconds: spec["expirationSeconds"]?.integer,
            username: username ?? spec["username"]?.string ?? "",
            groups: groups ?? spec["groups"]?.elements?.compactMap(\.string) ?? [],
            createdAt: object.creationTimestamp.flatMap { RFC3339.parse($0) })
    }
}

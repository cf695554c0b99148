import CarnetResult
import Cryptography
import KubernetesAPI
import NodeAdmission
import StrictEncoding

/// What the approver keeps of a CertificateSigningRequest for one of the kubelets' signers.
enum SigningRequest: Sendable {
    /// Nobody has decided. The object is read again for that: thousands of large ones must not fill the memory.
    case undecided(uid: String)
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
        if conditions.contains("Approved") {
            // Also where the signer failed afterwards: the passport served.
            self = .approved(uid: object.uid, signer, tokenID: NodeCertificateRequest(object, signer).statedTokenID)
        } else if conditions.contains("Denied") || conditions.contains("Failed") {
            self = .closed
        } else {
            self = .undecided(uid: object.uid)
        }
    }

    /// The request in an object about which nobody has decided; `nil` for others.
    static func undecided(in object: KubernetesObject) -> NodeCertificateRequest? {
        guard case .undecided? = SigningRequest(object),
            let signer = NodeCertificateRequest.Signer(rawValue: object.spec["signerName"]?.string ?? "")
        else { return nil }
        return NodeCertificateRequest(object, signer)
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

extension NodeCertificateRequest {
    /// The values of a request's subject, of whatever kind; `nil` for a request that cannot be read.
    static func statedSubject(_ object: KubernetesObject) -> [String]? {
        guard let text = object.spec["request"]?.string.flatMap({ Base64.decode($0) }),
            let blocks = try? PEM.blocks(in: text, maximumByteCount: 65_536, maximumCount: 8),
            let block = blocks.first(where: { $0.label == PassportCarrier.requestLabel }),
            let request = try? CertificateRequest(der: block.content)
        else { return nil }
        return request.subject.flatMap { $0.map(\.value) }
    }
}

internal import Cryptography
internal import KubernetesAPI
internal import NodeAdmission
internal import StrictEncoding

/// A request for a node's certificate, as it is sent to the API server.
struct SigningRequest: Sendable {
    /// The object's name: `carnet-`, the node, and a part by chance.
    let name: String
    let object: KubernetesObject

    /// A request that shows its passport inside and behind it.
    ///
    /// - Parameters:
    ///   - passport: Bound to `key`.
    ///   - life: In seconds.
    init(
        _ signer: NodeCertificateRequest.Signer, node: String, key: PrivateKey, showing passport: [UInt8],
        alternativeNames: CertificateRequest.AlternativeNames = .init(), life: Int64, asksKeyEncipherment: Bool
    ) throws(CryptographyError) {
        let text = try NodeRequestText.make(
            node: node, key: key, showing: passport, alternativeNames: alternativeNames)
        name = Self.name(node)
        let purpose = signer == .apiServerClientKubelet ? "client auth" : "server auth"
        let usages = ["digital signature"] + (asksKeyEncipherment ? ["key encipherment"] : []) + [purpose]
        let resource = Resource.certificateSigningRequests
        object = KubernetesObject([
            "apiVersion": .string(resource.apiVersion), "kind": "CertificateSigningRequest",
            "metadata": ["name": .string(name)],
            "spec": [
                "request": .string(Base64.encode(Array(text.utf8))), "signerName": .string(signer.rawValue),
                "usages": .array(usages.map { .string($0) }), "expirationSeconds": .integer(life),
            ],
        ])
    }

    /// At most 253 characters, and no dot or dash before the last dash.
    private static func name(_ node: String) -> String {
        var stem = node.prefix(200)
        while let last = stem.last, last == "." || last == "-" { stem.removeLast() }
        return "carnet-\(stem)-" + Hexadecimal.encode(SecureRandom.bytes(5))
    }
}

/// How it stands with a request.
enum SigningProgress: Sendable, Hashable {
    /// Nobody has decided about it.
    case undecided
    /// It was approved, and is not signed yet.
    case approved
    /// PEM.
    case issued([UInt8])
    case denied(reason: String, message: String)
    /// The signer could not.
    case failed(reason: String, message: String)

    /// Reads the object's status.
    init(_ object: KubernetesObject) {
        let conditions = object.status["conditions"]?.elements ?? []
        func condition(_ type: String) -> (String, String)? {
            conditions.first { $0["type"]?.string == type && $0["status"]?.string != "False" }.map {
                ($0["reason"]?.string ?? "", $0["message"]?.string ?? "")
            }
        }
        if let (reason, message) = condition("Denied") {
            self = .denied(reason: reason, message: message)
        } else if let (reason, message) = condition("Failed") {
            self = .failed(reason: reason, message: message)
        } else if let text = object.status["certificate"]?.string, let bytes = Base64.decode(text), !bytes.isEmpty {
            self = .issued(bytes)
        } else {
            self = condition("Approved") == nil ? .undecided : .approved
        }
    }
}

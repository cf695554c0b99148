import COpenSSL
import Foundation

/// Signs approved requests of the signers for kubelets and API clients, as the controller manager does.
struct CertificateSigner: Sendable {
    let authority: HarnessAuthority
    let version: ClusterVersion
    /// The longest certificate, in seconds.
    let maximumLife: Int

    /// What becomes of an approved request.
    enum Outcome {
        case certificate(String)
        /// The request can never be signed.
        case failed(String)
        /// It is another signer's business.
        case ignored
    }

    /// Signs, or says why not.
    func sign(_ object: HarnessJSON) throws -> Outcome {
        let spec = object["spec"] ?? [:], usages = spec["usages"]?.strings ?? []
        let bytes = Data(base64Encoded: spec["request"]?.string ?? "") ?? Data()
        let request = try CertificationRequest(pem: Array(bytes))
        switch spec["signerName"]?.string {
        case "kubernetes.io/kube-apiserver-client-kubelet":
            if let reason = node(request, usages, "client auth") { return .failed(reason) }
            let names = request.alternativeNameCounts
            for (type, words) in [(GEN_DNS, "DNS"), (GEN_EMAIL, "Email"), (GEN_IPADD, "IP"), (GEN_URI, "URI")]
            where names[type] != nil {
                return .failed("\(words) subjectAltNames are not allowed")
            }
        case "kubernetes.io/kubelet-serving":
            if let reason = node(request, usages, "server auth") { return .failed(reason) }
            let names = request.alternativeNameCounts
            guard names[GEN_DNS] != nil || names[GEN_IPADD] != nil else {
                return .failed("DNS or IP subjectAltName is required")
            }
            if names[GEN_EMAIL] != nil { return .failed("Email subjectAltNames are not allowed") }
            if names[GEN_URI] != nil { return .failed("URI subjectAltNames are not allowed") }
        case "kubernetes.io/kube-apiserver-client":
            for usage in usages where !["digital signature", "key encipherment", "client auth"].contains(usage) {
                return .failed("invalid usage for client certificate: \(usage)")
            }
        default: return .ignored
        }
        let life = spec["expirationSeconds"]?.integer.map { min(Int($0), maximumLife) } ?? maximumLife
        return .certificate(try authority.sign(request, usages: usages, validFor: life))
    }

    private func node(_ request: CertificationRequest, _ usages: [String], _ purpose: String) -> String? {
        guard request.organizations == ["system:nodes"] else { return "subject organization is not system:nodes" }
        guard request.commonName.hasPrefix("system:node:") else {
            return "subject common name does not begin with system:node:"
        }
        let small: Set = ["digital signature", purpose], whole = small.union(["key encipherment"])
        guard Set(usages) == whole || (version == .current && Set(usages) == small) else {
            return "usages did not match [\(whole.sorted().joined(separator: " "))]"
        }
        return nil
    }
}

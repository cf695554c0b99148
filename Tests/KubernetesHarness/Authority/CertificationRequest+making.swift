import COpenSSL
package import Cryptography
import StrictEncoding

extension CertificationRequest {
    /// A request as a kubelet makes it, PEM.
    ///
    /// - Parameters:
    ///   - names: The subject alternative name, as in `DNS:node-1,IP:10.0.0.1`; `nil` for none.
    package static func make(
        _ commonName: String, organizations: [String] = ["system:nodes"], names: String? = nil, for key: PrivateKey
    ) throws -> String {
        guard let request = X509_REQ_new() else { throw HarnessAuthority.Failure(step: "X509_REQ_new") }
        defer { X509_REQ_free(request) }
        let subject = X509_REQ_get_subject_name(request)
        for (type, value) in organizations.map({ ("O", $0) }) + [("CN", commonName)] {
            guard X509_NAME_add_entry_by_txt(subject, type, MBSTRING_UTF8, value, -1, -1, 0) == 1 else {
                throw HarnessAuthority.Failure(step: "X509_NAME_add_entry_by_txt \(type)")
            }
        }
        X509_REQ_set_pubkey(request, key.pointer)
        if let names {
            let extensions = OPENSSL_sk_new_null()
            defer { OPENSSL_sk_pop_free(extensions) { X509_EXTENSION_free(OpaquePointer($0)) } }
            guard let item = X509V3_EXT_conf_nid(nil, nil, NID_subject_alt_name, names) else {
                throw HarnessAuthority.Failure(step: "X509V3_EXT_conf_nid \(names)")
            }
            OPENSSL_sk_push(extensions, UnsafeRawPointer(item))
            X509_REQ_add_extensions(request, extensions)
        }
        guard X509_REQ_sign(request, key.pointer, EVP_sha256()) > 0 else {
            throw HarnessAuthority.Failure(step: "X509_REQ_sign")
        }
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_REQ(request, &output)
        guard count > 0, let output else { throw HarnessAuthority.Failure(step: "i2d_X509_REQ") }
        defer { CRYPTO_free(output, #fileID, #line) }
        return PEMText.encode(
            "CERTIFICATE REQUEST", Array(UnsafeBufferPointer(start: output, count: Int(count))))
    }

    /// An object of kind CertificateSigningRequest with a request in it.
    ///
    /// - Parameters:
    ///   - pem: What `spec.request` holds.
    ///   - usages: As a kubelet of the releases before 1.27 asks for them, which every release signs.
    package static func object(
        _ name: String, _ pem: String, signer: String = "kubernetes.io/kube-apiserver-client-kubelet",
        usages: [String] = ["digital signature", "key encipherment", "client auth"], expirationSeconds: Int64? = nil
    ) -> HarnessJSON {
        var object: HarnessJSON = [
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": ["name": .string(name)],
            "spec": [
                "request": .string(Base64.encode(Array(pem.utf8))), "signerName": .string(signer),
                "usages": .array(usages.map { .string($0) }),
            ],
        ]
        if let expirationSeconds { object["spec", "expirationSeconds"] = .integer(expirationSeconds) }
        return object
    }
}

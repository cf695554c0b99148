internal import COpenSSL

/// Builds and checks a path from a certificate to an anchor (RFC 5280 §6, by libcrypto).
public enum CertificateChain {
    /// subjectDirectoryAttributes: the one critical extension that is accepted although libcrypto does not process it, since the TCG's
    /// EK Credential Profile puts the TPM's specification there.
    static let subjectDirectoryAttributes = "2.5.29.9"

    /// Checks that `leaf` leads to one of `anchors` through `intermediates` at a time.
    ///
    /// An anchor need not be self-signed. Revocation is not looked at: endorsement certificates' lists are rarely reachable.
    /// - Parameters:
    ///   - intermediates: At most 16 certificates that may stand between; they need not be trusted.
    ///   - now: Seconds since 1970.
    /// - Throws: ``CryptographyError/Code/invalidCertificate`` with the certificate at fault and the reason.
    public static func verify(
        _ leaf: Certificate, intermediates: [Certificate], anchors: [Certificate], at now: Int64
    ) throws(CryptographyError) {
        guard intermediates.count <= 16 else {
            throw CryptographyError(
                .invalidCertificate, "\(intermediates.count) intermediate certificates; at most 16 are looked at")
        }
        let store = X509_STORE_new(), context = X509_STORE_CTX_new(), stack = carnet_x509_stack_new()
        defer {
            X509_STORE_CTX_free(context)
            X509_STORE_free(store)
            carnet_x509_stack_free(stack)
        }
        for anchor in anchors { _ = X509_STORE_add_cert(store, anchor.pointer) }
        for intermediate in intermediates { _ = carnet_x509_stack_push(stack, intermediate.pointer) }
        guard X509_STORE_CTX_init(context, store, leaf.pointer, stack) == 1 else {
            throw .openSSL(.operationFailed, "X509_STORE_CTX_init")
        }
        let parameters = X509_STORE_CTX_get0_param(context)
        X509_VERIFY_PARAM_set_time(parameters, Int(now))
        X509_VERIFY_PARAM_set_depth(parameters, 8)
        X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        X509_STORE_CTX_set_verify_cb(context) { accepted, context in CertificateChain.judge(accepted, context) }
        let result = X509_verify_cert(context)
        defer { ERR_clear_error() }
        guard result == 1 else { throw describe(context) }
    }

    /// Overrules libcrypto in one case only: an unprocessed critical extension that is subjectDirectoryAttributes and nothing else.
    private static func judge(_ accepted: CInt, _ context: OpaquePointer?) -> CInt {
        guard accepted != 1, X509_STORE_CTX_get_error(context) == X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,
            let current = X509_STORE_CTX_get_current_cert(context), X509_up_ref(current) == 1
        else { return accepted }
        guard let certificate = Certificate(sharing: current) else { return accepted }
        return certificate.unhandledCriticalExtensions == [subjectDirectoryAttributes] ? 1 : accepted
    }

    private static func describe(_ context: OpaquePointer?) -> CryptographyError {
        let code = X509_STORE_CTX_get_error(context)
        let reason = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)"
        guard let current = X509_STORE_CTX_get_current_cert(context), X509_up_ref(current) == 1,
            let certificate = Certificate(sharing: current)
        else { return CryptographyError(.invalidCertificate, reason) }
        let unhandled = certificate.unhandledCriticalExtensions
        let detail = code == X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION ? " (\(unhandled.joined(separator: ", ")))" : ""
        let name =
            certificate.subject.isEmpty ? "with an empty subject, issued by \(certificate.issuer)" : certificate.subject
        return CryptographyError(.invalidCertificate, "certificate \(name): \(reason)\(detail)")
    }
}

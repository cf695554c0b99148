import COpenSSL
package import Cryptography
import Foundation

/// A certificate authority of a test cluster: for its server, its users, and the requests it approves.
package final class HarnessAuthority: @unchecked Sendable {
    /// The authority's own certificate as PEM.
    package let certificate: String
    /// The authority's certificate, to check others against.
    let anchor: Certificate
    private let key: PrivateKey
    private let pointer: OpaquePointer

    /// Something could not be made.
    package struct Failure: Error {
        let step: String
    }

    /// What is certified.
    package struct Identity: Sendable {
        /// The certificate as PEM.
        package let certificate: String
        /// Its private key as PEM, PKCS #8.
        package let key: String
    }

    /// A fresh authority, good for thirty days.
    package init(_ commonName: String) throws {
        key = try PrivateKey.generate()
        pointer = try Self.make(
            [("CN", commonName)], for: key.pointer, by: nil, key.pointer,
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE"),
                (NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature"),
                (NID_subject_key_identifier, "hash"),
            ], validFor: 30 * 86_400)
        let der = try Self.der(pointer)
        anchor = try Certificate(der: der)
        certificate = PEMText.encode("CERTIFICATE", der)
    }

    deinit { X509_free(pointer) }

    /// The authority's private key as PEM, for programs that sign with it.
    package var privateKey: String { get throws { try Self.pem(key) } }

    /// A client's certificate as API servers read it: the common name is the user, the organisations are the groups.
    package func client(
        _ name: String, groups: [String], validFor seconds: Int = 86_400
    ) throws -> Identity {
        try issue([("CN", name)] + groups.map { ("O", $0) }, "clientAuth", nil, seconds)
    }

    /// A server's certificate.
    ///
    /// - Parameter names: As in `IP:127.0.0.1` and `DNS:localhost`.
    package func server(_ commonName: String, names: [String]) throws -> Identity {
        try issue([("CN", commonName)], "serverAuth", names.joined(separator: ","), 7 * 86_400)
    }

    private func issue(
        _ subject: [(String, String)], _ usage: String, _ names: String?, _ seconds: Int
    ) throws -> Identity {
        let own = try PrivateKey.generate()
        let made = try Self.make(
            subject, for: own.pointer, by: pointer, key.pointer,
            extensions: [(NID_key_usage, "critical,digitalSignature"), (NID_ext_key_usage, usage)]
                + (names.map { [(NID_subject_alt_name, $0)] } ?? []), validFor: seconds)
        defer { X509_free(made) }
        return Identity(certificate: PEMText.encode("CERTIFICATE", try Self.der(made)), key: try Self.pem(own))
    }

    /// Signs a request: its subject, its subject alternative name, its key; nothing else of it.
    ///
    /// - Parameter usages: Key usages as the Kubernetes API names them.
    package func sign(
        _ request: CertificationRequest, usages: [String], validFor seconds: Int
    ) throws -> String {
        let extended = usages.compactMap { ["client auth": "clientAuth", "server auth": "serverAuth"][$0] }
        let plain = usages.compactMap {
            ["digital signature": "digitalSignature", "key encipherment": "keyEncipherment"][$0]
        }
        var extensions: [(Int32, String)] = [(NID_basic_constraints, "critical,CA:FALSE")]
        if !plain.isEmpty { extensions.append((NID_key_usage, "critical," + plain.joined(separator: ","))) }
        if !extended.isEmpty { extensions.append((NID_ext_key_usage, extended.joined(separator: ","))) }
        let made = try Self.make(
            [], named: X509_REQ_get_subject_name(request.pointer), for: X509_REQ_get0_pubkey(request.pointer),
            by: pointer, key.pointer, extensions: extensions, copying: request, validFor: seconds)
        defer { X509_free(made) }
        return PEMText.encode("CERTIFICATE", try Self.der(made))
    }

    private static func make(
        _ subject: [(String, String)], named name: OpaquePointer? = nil, for subjectKey: OpaquePointer?,
        by issuer: OpaquePointer?, _ key: OpaquePointer, extensions: [(Int32, String)],
        copying request: CertificationRequest? = nil, validFor seconds: Int
    ) throws -> OpaquePointer {
        guard let certificate = X509_new() else { throw Failure(step: "X509_new") }
        do {
            X509_set_version(certificate, 2)
            let serial = BN_new()
            defer { BN_free(serial) }
            BN_rand(serial, 120, 0, 0)
            BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate))
            // Clocks differ: valid since five minutes, as the signer of Kubernetes does it.
            X509_gmtime_adj(X509_getm_notBefore(certificate), -300)
            X509_gmtime_adj(X509_getm_notAfter(certificate), seconds)
            guard X509_set_pubkey(certificate, subjectKey) == 1 else { throw Failure(step: "X509_set_pubkey") }
            if let name { X509_set_subject_name(certificate, name) }
            let own = X509_get_subject_name(certificate)
            for (type, value) in subject {
                guard X509_NAME_add_entry_by_txt(own, type, MBSTRING_UTF8, value, -1, -1, 0) == 1 else {
                    throw Failure(step: "X509_NAME_add_entry_by_txt \(type)")
                }
            }
            X509_set_issuer_name(certificate, issuer.map { X509_get_subject_name($0) } ?? own)
            var context = X509V3_CTX()
            X509V3_set_ctx(&context, issuer ?? certificate, certificate, nil, nil, 0)
            for (type, value) in extensions {
                guard let item = X509V3_EXT_conf_nid(nil, &context, type, value) else {
                    throw Failure(step: "X509V3_EXT_conf_nid \(value)")
                }
                X509_add_ext(certificate, item, -1)
                X509_EXTENSION_free(item)
            }
            request?.copyAlternativeName(to: certificate)
            guard X509_sign(certificate, key, EVP_sha256()) > 0 else { throw Failure(step: "X509_sign") }
            return certificate
        } catch {
            X509_free(certificate)
            throw error
        }
    }

    private static func der(_ certificate: OpaquePointer) throws -> [UInt8] {
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(certificate, &output)
        guard count > 0, let output else { throw Failure(step: "i2d_X509") }
        defer { CRYPTO_free(output, #fileID, #line) }
        return Array(UnsafeBufferPointer(start: output, count: Int(count)))
    }

    private static func pem(_ key: PrivateKey) throws -> String {
        PEMText.encode("PRIVATE" + " KEY", try key.pkcs8)
    }
}

extension CertificationRequest {
    /// Adds the request's subject alternative name to a certificate.
    fileprivate func copyAlternativeName(to certificate: OpaquePointer) {
        let extensions = X509_REQ_get_extensions(pointer)
        defer { OPENSSL_sk_pop_free(extensions) { X509_EXTENSION_free(OpaquePointer($0)) } }
        for index in 0..<max(OPENSSL_sk_num(extensions), 0) {
            guard let item = OPENSSL_sk_value(extensions, index).map({ OpaquePointer($0) }),
                OBJ_obj2nid(X509_EXTENSION_get_object(item)) == NID_subject_alt_name
            else { continue }
            X509_add_ext(certificate, item, -1)
        }
    }
}

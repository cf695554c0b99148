internal import COpenSSL

extension CertificateRequest {
    /// Makes a request and signs it with ECDSA and SHA-256.
    ///
    /// - Parameters:
    ///   - subject: Names in their order, each a set of its own.
    ///   - alternativeNames: Host names and addresses; nothing is asked for when both are empty.
    ///   - extensions: Others to ask for, after the alternative names.
    ///   - key: The key to be certified, which also signs.
    /// - Throws: ``CryptographyError`` for what ``init(der:)`` would not read.
    public init(
        subject: [NameAttribute], alternativeNames: AlternativeNames = AlternativeNames(),
        extensions: [RequestedExtension] = [], signedBy key: PrivateKey
    ) throws(CryptographyError) {
        let request = X509_REQ_new()
        defer { X509_REQ_free(request) }
        guard X509_REQ_set_version(request, 0) == 1, X509_REQ_set_pubkey(request, key.pointer) == 1 else {
            throw .openSSL(.operationFailed, "X509_REQ_set_pubkey")
        }
        let name = X509_REQ_get_subject_name(request)
        for attribute in subject {
            let bytes = Array(attribute.value.utf8)
            let object = OBJ_txt2obj(attribute.identifier, 1)
            defer { ASN1_OBJECT_free(object) }
            guard
                X509_NAME_add_entry_by_OBJ(
                    name, object, V_ASN1_UTF8STRING, bytes, CInt(clamping: bytes.count), -1, 0) == 1
            else { throw .openSSL(.invalidRequest, "X509_NAME_add_entry_by_OBJ") }
        }
        var wanted = extensions
        if !alternativeNames.dns.isEmpty || !alternativeNames.addresses.isEmpty {
            wanted.insert(
                RequestedExtension(identifier: Self.alternativeNameIdentifier, der: alternativeNames.der), at: 0)
        }
        if !wanted.isEmpty { try Self.add(wanted, to: request) }
        guard X509_REQ_sign(request, key.pointer, HashAlgorithm.sha256.evp) > 0 else {
            throw .openSSL(.operationFailed, "X509_REQ_sign")
        }
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_REQ(request, &output)
        defer { CRYPTO_free(output, #fileID, #line) }
        guard count > 0, let output else { throw .openSSL(.operationFailed, "i2d_X509_REQ") }
        try self.init(der: Array(UnsafeBufferPointer(start: output, count: Int(count))))
    }

    private static func add(_ extensions: [RequestedExtension], to request: OpaquePointer?) throws(CryptographyError) {
        let stack = OPENSSL_sk_new_null()
        defer { OPENSSL_sk_pop_free(stack) { X509_EXTENSION_free(OpaquePointer($0)) } }
        for item in extensions {
            let object = OBJ_txt2obj(item.identifier, 1), data = ASN1_OCTET_STRING_new()
            defer {
                ASN1_OBJECT_free(object)
                ASN1_OCTET_STRING_free(data)
            }
            guard ASN1_OCTET_STRING_set(data, item.der, CInt(clamping: item.der.count)) == 1,
                let made = X509_EXTENSION_create_by_OBJ(nil, object, item.isCritical ? 1 : 0, data)
            else { throw .openSSL(.invalidRequest, "X509_EXTENSION_create_by_OBJ") }
            guard OPENSSL_sk_push(stack, UnsafeRawPointer(made)) > 0 else {
                X509_EXTENSION_free(made)
                throw .openSSL(.operationFailed, "OPENSSL_sk_push")
            }
        }
        guard X509_REQ_add_extensions(request, stack) == 1 else {
            throw .openSSL(.operationFailed, "X509_REQ_add_extensions")
        }
    }
}

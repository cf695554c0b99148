internal import COpenSSL

extension CertificateRequest {
    /// extensionRequest (RFC 2985 §5.4.2).
    private static let extensionRequest = "1.2.840.113549.1.9.14"

    /// The requested extensions, and the types of the other attributes.
    static func attributes(
        of pointer: OpaquePointer
    ) throws(CryptographyError) -> (extensions: [RequestedExtension], others: [String]) {
        var extensions: [RequestedExtension]?
        var others: [String] = []
        for index in 0..<max(X509_REQ_get_attr_count(pointer), 0) {
            let attribute = X509_REQ_get_attr(pointer, index)
            let identifier = try dotted(X509_ATTRIBUTE_get0_object(attribute))
            guard identifier == extensionRequest else {
                others.append(identifier)
                continue
            }
            guard extensions == nil, X509_ATTRIBUTE_count(attribute) == 1,
                let value = X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_SEQUENCE, nil)
            else { throw unreadable("it does not ask for exactly one set of extensions") }
            extensions = try read(UnsafePointer(value.assumingMemoryBound(to: ASN1_STRING.self)))
        }
        return (extensions ?? [], others)
    }

    /// Reads Extensions (RFC 5280 §4.1), which must be written as libcrypto would write them.
    private static func read(_ value: UnsafePointer<ASN1_STRING>) throws(CryptographyError) -> [RequestedExtension] {
        let bytes = Array(
            UnsafeBufferPointer(start: ASN1_STRING_get0_data(value), count: max(Int(ASN1_STRING_length(value)), 0)))
        let stack = bytes.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            return d2i_X509_EXTENSIONS(nil, &cursor, buffer.count)
        }
        guard let stack else { throw .openSSL(.invalidRequest, "reading the requested extensions") }
        defer { OPENSSL_sk_pop_free(stack) { X509_EXTENSION_free(OpaquePointer($0)) } }
        var output: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_EXTENSIONS(stack, &output)
        defer { CRYPTO_free(output, #fileID, #line) }
        guard count > 0, bytes.elementsEqual(UnsafeBufferPointer(start: output, count: Int(count))),
            !Self.statesDefault(bytes)
        else { throw unreadable("the requested extensions are not DER") }
        var extensions: [RequestedExtension] = []
        for index in 0..<max(OPENSSL_sk_num(stack), 0) {
            let item = OPENSSL_sk_value(stack, index).map { OpaquePointer($0) }
            let identifier = try dotted(X509_EXTENSION_get_object(item)), data = X509_EXTENSION_get_data(item)
            let value = Array(
                UnsafeBufferPointer(start: ASN1_STRING_get0_data(data), count: max(Int(ASN1_STRING_length(data)), 0)))
            guard DER.isDistinguished(value[...]) else {
                throw unreadable("the value of the extension \(identifier) is not DER")
            }
            guard !extensions.contains(where: { $0.identifier == identifier }) else {
                throw unreadable("the extension \(identifier) is asked for twice")
            }
            extensions.append(
                RequestedExtension(
                    identifier: identifier, isCritical: X509_EXTENSION_get_critical(item) == 1, der: value))
        }
        return extensions
    }

    /// Whether an extension says that it is not critical, which DER leaves out (X.690 §11.5). libcrypto keeps what was written.
    private static func statesDefault(_ extensions: [UInt8]) -> Bool {
        var rest = extensions[...]
        let items = DER.next(&rest).flatMap { DER.elements($0.content) } ?? []
        return items.contains { item in
            DER.elements(item.content)?.contains { $0.tag == DER.Tag.boolean && $0.content.first == 0 } ?? true
        }
    }
}

extension CertificateRequest.AlternativeNames {
    /// Reads GeneralNames (RFC 5280 §4.2.1.6), of which there must be 1 to 64.
    init(der: [UInt8]) throws(CryptographyError) {
        var rest = der[...]
        guard let outer = DER.next(&rest), rest.isEmpty, outer.tag == DER.Tag.sequence,
            let names = DER.elements(outer.content), (1...64).contains(names.count)
        else { throw CertificateRequest.unreadable("the subject alternative name is not a list of 1 to 64 names") }
        self.init()
        for name in names {
            switch name.tag {
            case Self.dnsTag:
                guard (1...253).contains(name.content.count), name.content.allSatisfy({ (0x21...0x7E).contains($0) })
                else {
                    throw CertificateRequest.unreadable("a host name is not visible ASCII of 1 to 253 characters")
                }
                dns.append(String(decoding: name.content, as: UTF8.self))
            case Self.addressTag:
                guard name.content.count == 4 || name.content.count == 16 else {
                    throw CertificateRequest.unreadable("an address has \(name.content.count) bytes, not 4 or 16")
                }
                addresses.append(Array(name.content))
            default: otherCount += 1
            }
        }
    }

    /// The names as GeneralNames: host names, then addresses.
    var der: [UInt8] {
        let names =
            dns.map { DER.element(Self.dnsTag, Array($0.utf8)) } + addresses.map { DER.element(Self.addressTag, $0) }
        return DER.element(DER.Tag.sequence, Array(names.joined()))
    }

    /// dNSName [2] IMPLICIT IA5String.
    private static let dnsTag: UInt8 = 0x82
    /// iPAddress [7] IMPLICIT OCTET STRING.
    private static let addressTag: UInt8 = 0x87
}

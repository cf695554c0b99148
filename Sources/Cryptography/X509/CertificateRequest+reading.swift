internal import COpenSSL

extension CertificateRequest {
    /// Reads one request.
    ///
    /// - Throws: ``CryptographyError/Code/invalidRequest`` for anything but version 1 in DER with a key that can be used, at most one set
    ///   of extensions, each of them once, and names that are text; ``CryptographyError/Code/invalidKey`` for a key that cannot.
    public init(der bytes: [UInt8]) throws(CryptographyError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw Self.unreadable("a request of \(bytes.count) bytes is not read; at most \(Self.maximumByteCount) are")
        }
        guard DER.isDistinguished(bytes[...]), let parts = Self.parts(of: bytes[...], 3),
            let signature = Self.octets(ofBitString: parts[2])
        else { throw Self.unreadable("it is not one request in DER with nothing after it") }
        let (pointer, consumed) = bytes.withUnsafeBufferPointer { buffer -> (OpaquePointer?, Int) in
            var cursor = buffer.baseAddress
            let request = d2i_X509_REQ(nil, &cursor, buffer.count)
            return (request, buffer.baseAddress.flatMap { start in cursor.map { $0 - start } } ?? 0)
        }
        guard let pointer else { throw .openSSL(.invalidRequest, "reading a certificate request") }
        defer { X509_REQ_free(pointer) }
        guard consumed == bytes.count, X509_REQ_get_version(pointer) == 0 else {
            throw Self.unreadable("it is not a request of version 1")
        }
        subject = try Self.attributes(of: X509_REQ_get_subject_name(pointer))
        publicKey = try Self.key(of: pointer, written: parts[0])
        (extensions, otherAttributes) = try Self.attributes(of: pointer)
        alternativeNames = try extensions.first { $0.identifier == Self.alternativeNameIdentifier }
            .map { item throws(CryptographyError) in try AlternativeNames(der: item.der) }
        der = bytes
        signedBytes = parts[0].whole
        signatureAlgorithm = parts[1].whole
        self.signature = signature
    }

    static func unreadable(_ reason: String) -> CryptographyError { CryptographyError(.invalidRequest, reason) }

    /// The elements of a sequence that has exactly so many.
    private static func parts(of bytes: ArraySlice<UInt8>, _ count: Int) -> [DER.Element]? {
        var rest = bytes
        guard let outer = DER.next(&rest), outer.tag == DER.Tag.sequence, let parts = DER.elements(outer.content),
            parts.count == count
        else { return nil }
        return parts
    }

    private static func octets(ofBitString element: DER.Element) -> [UInt8]? {
        guard element.tag == DER.Tag.bitString, element.content.first == 0 else { return nil }
        return Array(element.content.dropFirst())
    }

    /// The key, whose SubjectPublicKeyInfo must be the one that we would write: a named curve and an uncompressed point, or RSA.
    private static func key(
        of pointer: OpaquePointer, written information: DER.Element
    ) throws(CryptographyError) -> PublicKey {
        guard let evp = X509_REQ_get_pubkey(pointer) else { throw .openSSL(.invalidKey, "reading the request's key") }
        let key = try PublicKey(owning: evp)
        let plain: PublicKey
        if case .ellipticCurve(let curve) = key.kind, let point = key.point {
            plain = try PublicKey(curve, x: point.x, y: point.y)
        } else {
            plain = key
        }
        guard let fields = DER.elements(information.content), fields.count > 2,
            try plain.subjectPublicKeyInfo.elementsEqual(fields[2].whole)
        else { throw CryptographyError(.invalidKey, "the key is not written as RFC 5480 and RFC 3279 write it") }
        return key
    }

    /// The attributes of a name by their sets.
    private static func attributes(of name: OpaquePointer?) throws(CryptographyError) -> [[NameAttribute]] {
        var names: [[NameAttribute]] = []
        var last: CInt?
        for index in 0..<max(X509_NAME_entry_count(name), 0) {
            let entry = X509_NAME_get_entry(name, index)
            let set = X509_NAME_ENTRY_set(entry)
            guard let data = X509_NAME_ENTRY_get_data(entry), let text = text(data) else {
                throw unreadable("a value in the subject is no UTF8String or PrintableString of 1 to 1024 bytes")
            }
            let attribute = NameAttribute(identifier: try dotted(X509_NAME_ENTRY_get_object(entry)), value: text)
            if let last, last == set { names[names.count - 1].append(attribute) } else { names.append([attribute]) }
            last = set
        }
        return names
    }

    /// The text of the two string types that RFC 5280 §4.1.2.4 lets be written.
    private static func text(_ value: UnsafePointer<ASN1_STRING>) -> String? {
        let type = ASN1_STRING_type(value), count = Int(ASN1_STRING_length(value))
        guard type == V_ASN1_UTF8STRING || type == V_ASN1_PRINTABLESTRING, (1...1024).contains(count),
            let bytes = ASN1_STRING_get0_data(value)
        else { return nil }
        let buffer = UnsafeBufferPointer(start: bytes, count: count)
        guard type == V_ASN1_UTF8STRING || buffer.allSatisfy(isPrintable),
            let text = String(validating: buffer, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        else { return nil }
        return text
    }

    /// X.680 §41.4.
    private static func isPrintable(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, 0x30...0x39: true
        default: " '()+,-./:=?".utf8.contains(byte)
        }
    }

    static func dotted(_ object: OpaquePointer?) throws(CryptographyError) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = OBJ_obj2txt(&buffer, CInt(buffer.count), object, 1)
        guard count > 0, count < buffer.count else { throw unreadable("an object identifier is too long") }
        return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

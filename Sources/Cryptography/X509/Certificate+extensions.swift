internal import COpenSSL

extension Certificate {
    /// Whether it may certify others: basicConstraints CA (RFC 5280 §4.2.1.9).
    public var isAuthority: Bool { X509_get_extension_flags(pointer) & UInt32(EXFLAG_CA) != 0 }

    /// Key usage (RFC 5280 §4.2.1.3), or `nil` when the extension is absent.
    public var keyUsage: KeyUsage? {
        guard X509_get_extension_flags(pointer) & UInt32(EXFLAG_KUSAGE) != 0 else { return nil }
        return KeyUsage(rawValue: X509_get_key_usage(pointer))
    }

    /// The bits of key usage that Carnet looks at, numbered as libcrypto does.
    public struct KeyUsage: OptionSet, Sendable, Hashable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let digitalSignature = Self(rawValue: 0x80)
        public static let keyEncipherment = Self(rawValue: 0x20)
        public static let keyAgreement = Self(rawValue: 0x08)
        public static let certificateSigning = Self(rawValue: 0x04)
    }

    /// The extended key usages as dotted numbers (RFC 5280 §4.2.1.12); empty when the extension is absent or unreadable.
    public var extendedKeyUsages: [String] {
        guard let stack = X509_get_ext_d2i(pointer, NID_ext_key_usage, nil, nil) else {
            ERR_clear_error()
            return []
        }
        let usages = OpaquePointer(stack)
        defer { OPENSSL_sk_pop_free(usages) { ASN1_OBJECT_free(OpaquePointer($0)) } }
        return (0..<max(OPENSSL_sk_num(usages), 0)).compactMap { index in
            OPENSSL_sk_value(usages, index).map { Self.dotted(OpaquePointer($0)) }
        }
    }

    /// The critical extensions that libcrypto does not process, as dotted numbers.
    var unhandledCriticalExtensions: [String] {
        (0..<X509_get_ext_count(pointer)).compactMap { index in
            guard let item = X509_get_ext(pointer, index), X509_EXTENSION_get_critical(item) == 1,
                X509_supported_extension(item) != 1
            else { return nil }
            return Self.dotted(X509_EXTENSION_get_object(item))
        }
    }

    /// The attributes of a TPM in the subject alternative name's directoryName (TCG EK Credential Profile 2.6 §3.1.2): maker, model and
    /// version under 2.23.133.2.1 to 2.23.133.2.3; empty when there are none.
    public var tpmAttributes: [String: String] {
        guard let stack = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else {
            ERR_clear_error()
            return [:]
        }
        let names = OpaquePointer(stack)
        defer { OPENSSL_sk_pop_free(names) { GENERAL_NAME_free($0?.assumingMemoryBound(to: GENERAL_NAME.self)) } }
        var attributes: [String: String] = [:]
        for index in 0..<max(OPENSSL_sk_num(names), 0) {
            guard let name = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self),
                name.pointee.type == GEN_DIRNAME
            else { continue }
            let directoryName = name.pointee.d.directoryName
            for entry in 0..<X509_NAME_entry_count(directoryName) {
                guard let entry = X509_NAME_get_entry(directoryName, entry) else { continue }
                let identifier = Self.dotted(X509_NAME_ENTRY_get_object(entry))
                if identifier.hasPrefix("2.23.133.2."), let text = Self.text(X509_NAME_ENTRY_get_data(entry)) {
                    attributes[identifier] = text
                }
            }
        }
        return attributes
    }

    private static func dotted(_ object: OpaquePointer?) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = OBJ_obj2txt(&buffer, CInt(buffer.count), object, 1)
        guard count > 0, count < buffer.count else { return "" }
        return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func text(_ value: UnsafePointer<ASN1_STRING>?) -> String? {
        guard let value, let bytes = ASN1_STRING_get0_data(value) else { return nil }
        let count = Int(ASN1_STRING_length(value))
        guard (0...256).contains(count) else { return nil }
        let text = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        return text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } ? text : nil
    }
}

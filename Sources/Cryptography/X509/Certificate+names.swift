internal import COpenSSL

extension Certificate {
    /// A name in the subject alternative name (RFC 5280 §4.2.1.6) that is text.
    public enum AlternativeName: Sendable, Hashable {
        /// rfc822Name: a mailbox.
        case email(String)
        /// dNSName.
        case dns(String)
        /// uniformResourceIdentifier.
        case uri(String)
    }

    /// The mailboxes, host names and URIs in the subject alternative name, at most 64, in order; empty when there are none, or the
    /// extension cannot be read. Names that are not visible ASCII of 1 to 256 characters are left out: one with a NUL in it could be
    /// taken for another.
    public var alternativeNames: [AlternativeName] {
        guard let stack = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else {
            ERR_clear_error()
            return []
        }
        let names = OpaquePointer(stack)
        defer { OPENSSL_sk_pop_free(names) { GENERAL_NAME_free($0?.assumingMemoryBound(to: GENERAL_NAME.self)) } }
        return (0..<min(max(OPENSSL_sk_num(names), 0), 64)).compactMap { index in
            guard let name = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self).pointee else {
                return nil
            }
            return switch name.type {
            case GEN_EMAIL: Self.visible(name.d.rfc822Name).map { .email($0) }
            case GEN_DNS: Self.visible(name.d.dNSName).map { .dns($0) }
            case GEN_URI: Self.visible(name.d.uniformResourceIdentifier).map { .uri($0) }
            default: nil
            }
        }
    }

    private static func visible(_ value: UnsafeMutablePointer<ASN1_STRING>?) -> String? {
        guard let value, let bytes = ASN1_STRING_get0_data(value) else { return nil }
        let buffer = UnsafeBufferPointer(start: bytes, count: max(Int(ASN1_STRING_length(value)), 0))
        guard (1...256).contains(buffer.count), buffer.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        return String(decoding: buffer, as: UTF8.self)
    }
}

import COpenSSL
import Foundation

/// A PKCS #10 request (RFC 2986) as an API server and its signer look at it.
package final class CertificationRequest: @unchecked Sendable {
    /// libcrypto's X509_REQ, owned.
    let pointer: OpaquePointer

    /// Why a request is not taken; the words are those of the API server.
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    /// Reads the first PEM block of a text, which has to be a request with a good signature.
    package init(pem text: [UInt8]) throws {
        guard let block = PEMText.first(in: text), block.label == "CERTIFICATE REQUEST" else {
            throw Refusal(description: "PEM block type must be CERTIFICATE REQUEST")
        }
        let found = block.bytes.withUnsafeBufferPointer { buffer -> (pointer: OpaquePointer?, isWhole: Bool) in
            var cursor = buffer.baseAddress
            let request = d2i_X509_REQ(nil, &cursor, buffer.count)
            return (request, cursor == buffer.baseAddress.map { $0 + buffer.count })
        }
        guard let request = found.pointer else {
            ERR_clear_error()
            throw Refusal(description: "asn1: structure error")
        }
        pointer = request
        guard found.isWhole else { throw Refusal(description: "asn1: syntax error: trailing data") }
        guard X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) == 1 else {
            ERR_clear_error()
            throw Refusal(description: "x509: signature verification failure")
        }
    }

    deinit { X509_REQ_free(pointer) }

    /// The last common name of the subject.
    var commonName: String {
        DistinguishedName.values(NID_commonName, of: X509_REQ_get_subject_name(pointer)).last ?? ""
    }
    /// The organisations of the subject, in order.
    var organizations: [String] {
        DistinguishedName.values(NID_organizationName, of: X509_REQ_get_subject_name(pointer))
    }

    /// How many names of each kind (GEN_DNS, …) the subject alternative name has.
    var alternativeNameCounts: [Int32: Int] {
        let extensions = X509_REQ_get_extensions(pointer)
        defer { OPENSSL_sk_pop_free(extensions) { X509_EXTENSION_free(OpaquePointer($0)) } }
        var counts: [Int32: Int] = [:]
        for index in 0..<max(OPENSSL_sk_num(extensions), 0) {
            guard let item = OPENSSL_sk_value(extensions, index).map({ OpaquePointer($0) }),
                OBJ_obj2nid(X509_EXTENSION_get_object(item)) == NID_subject_alt_name,
                let names = X509V3_EXT_d2i(item).map({ OpaquePointer($0) })
            else { continue }
            for place in 0..<max(OPENSSL_sk_num(names), 0) {
                if let name = OPENSSL_sk_value(names, place)?.assumingMemoryBound(to: GENERAL_NAME.self) {
                    counts[name.pointee.type, default: 0] += 1
                }
            }
            OPENSSL_sk_pop_free(names) { GENERAL_NAME_free($0?.assumingMemoryBound(to: GENERAL_NAME.self)) }
        }
        return counts
    }
}

/// Attributes of a subject.
enum DistinguishedName {
    /// The values of one attribute type, in order.
    static func values(_ type: Int32, of name: OpaquePointer?) -> [String] {
        (0..<max(X509_NAME_entry_count(name), 0)).compactMap { index in
            let entry = X509_NAME_get_entry(name, index)
            guard OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) == type else { return nil }
            var output: UnsafeMutablePointer<UInt8>?
            let count = ASN1_STRING_to_UTF8(&output, X509_NAME_ENTRY_get_data(entry))
            guard count >= 0, let output else { return nil }
            defer { CRYPTO_free(output, #fileID, #line) }
            return String(decoding: UnsafeBufferPointer(start: output, count: Int(count)), as: UTF8.self)
        }
    }
}

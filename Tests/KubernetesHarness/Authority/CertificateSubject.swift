import COpenSSL
import Glibc

/// The parts of a certificate's subject by which API servers know clients.
package struct CertificateSubject: Sendable, Hashable {
    /// The user's name: the last common name.
    package let commonName: String
    /// The groups.
    package let organizations: [String]
    /// When the certificate ends, in seconds since 1970.
    package let expiresAt: Int64

    /// The certificate cannot be read.
    package struct Unreadable: Error {}

    /// Reads the subject of a certificate.
    package init(der: [UInt8]) throws {
        let certificate = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_X509(nil, &cursor, buffer.count)
        }
        defer { X509_free(certificate) }
        guard let certificate else {
            ERR_clear_error()
            throw Unreadable()
        }
        let name = X509_get_subject_name(certificate)
        commonName = DistinguishedName.values(NID_commonName, of: name).last ?? ""
        organizations = DistinguishedName.values(NID_organizationName, of: name)
        var time = tm()
        ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time)
        expiresAt = Int64(timegm(&time))
    }

    /// Reads the subject of the first certificate of a PEM text.
    package init(pem: String) throws {
        guard let block = PEMText.first(in: Array(pem.utf8)), block.label == "CERTIFICATE" else { throw Unreadable() }
        try self.init(der: block.bytes)
    }
}

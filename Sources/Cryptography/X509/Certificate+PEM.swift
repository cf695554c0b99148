internal import COpenSSL

extension Certificate {
    /// The certificates of a PEM text (RFC 7468), in order; text between them is ignored.
    ///
    /// - Throws: ``CryptographyError/Code/invalidCertificate`` for a block that is no certificate, or more than 4,096 of them.
    public static func parsePEM(_ text: [UInt8]) throws(CryptographyError) -> [Certificate] {
        let input = BIO_new_mem_buf(text, CInt(clamping: text.count))
        defer { BIO_free(input) }
        var certificates: [Certificate] = []
        while true {
            guard let pointer = PEM_read_bio_X509(input, nil, nil, nil) else {
                let error = ERR_peek_last_error()
                let isEnd = error & 0xFFF == UInt(PEM_R_NO_START_LINE)
                ERR_clear_error()
                if isEnd { return certificates }
                throw CryptographyError(
                    .invalidCertificate, "certificate \(certificates.count + 1) of the PEM text cannot be read")
            }
            guard certificates.count < 4096, let certificate = Certificate(sharing: pointer) else {
                throw CryptographyError(.invalidCertificate, "the PEM text has more than 4096 certificates")
            }
            certificates.append(certificate)
        }
    }
}

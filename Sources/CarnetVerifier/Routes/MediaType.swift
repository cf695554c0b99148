/// The media types that the verifier reads and writes besides JSON.
enum MediaType {
    /// Evidence as Carnet's attesters send it.
    static let evidence = "application/vnd.carnet.tpm-evidence+json"
    /// Evidence inside a CMW record (RFC 9999).
    static let wrappedEvidence = "application/cmw+json"
    /// Veraison's session.
    static let session = "application/vnd.veraison.challenge-response-session+json"
}

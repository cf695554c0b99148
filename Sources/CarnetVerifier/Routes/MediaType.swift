import CarnetResult

/// The media types that the verifier reads and writes besides JSON.
enum MediaType {
    /// JSON.
    static let json = "application/json"
    /// Evidence as Carnet's attesters send it.
    static let evidence = "application/vnd.carnet.tpm-evidence+json"
    /// Evidence inside a CMW (RFC 9999).
    static let wrappedEvidence = "application/cmw+json"
    /// The same, as Veraison's clients call it.
    static let olderWrappedEvidence = "application/vnd.veraison.cmw+json"
    /// What a session accepts.
    static let allEvidence = [evidence, wrappedEvidence, olderWrappedEvidence]
    /// Veraison's session.
    static let session = "application/vnd.veraison.challenge-response-session+json"
    /// Veraison's discovery document.
    static let discovery = "application/vnd.veraison.discovery+json"
    /// A result alone, as a JWT (RFC 9782).
    static let result = "application/eat+jwt; eat_profile=\"\(AttestationResult.profile)\""
}

/// A verdict about one machine, before it is signed: the claims of an EAT Attestation Result (draft-ietf-rats-ear-04 §3).
public struct AttestationResult: Sendable, Hashable {
    /// The profile of draft -04, the only one that Carnet writes.
    public static let profile = "tag:ietf.org,2026:rats/ear#04"
    /// The label of the submodule that speaks about the TPM's machine.
    public static let submodule = "tpm"
    /// The longest life of a result, in seconds.
    public static let maximumLifetime: Int64 = 3600

    public let issuer: String
    /// The enrolment's own identifier, a URI; nothing derived from the TPM.
    public let subject: String
    public let audience: [String]
    /// Seconds since 1970.
    public let issuedAt: Int64
    /// Seconds since 1970, at most ``maximumLifetime`` after ``issuedAt``.
    public let expiresAt: Int64
    public let tokenID: String
    /// The requester's nonce, 8 to 64 bytes.
    public let nonce: [UInt8]
    public let verifierID: VerifierID
    /// The RFC 7638 thumbprint of the bound signing key, base64url.
    public let keyThumbprint: String
    public let appraisal: SubmoduleAppraisal
    /// Where it can be withdrawn before it expires; `nil` when it cannot.
    public let statusReference: StatusReference?

    /// The status of the whole: that of its one submodule.
    public var status: TrustTier { appraisal.status }

    /// Who verified, and with which build (draft-ietf-rats-ar4si §3.3).
    public struct VerifierID: Sendable, Hashable {
        public let developer: String
        public let build: String

        /// A developer's URI and a build's name.
        public init(developer: String, build: String) {
            self.developer = developer
            self.build = build
        }
    }

    /// A result that lives `lifetime` seconds from `issuedAt`; more than ``maximumLifetime`` is cut to it, less than 1 is 1.
    public init(
        issuer: String, subject: String, audience: [String], issuedAt: Int64, lifetime: Int64 = 300, tokenID: String,
        nonce: [UInt8], verifierID: VerifierID, keyThumbprint: String, appraisal: SubmoduleAppraisal,
        statusReference: StatusReference? = nil
    ) {
        self.issuer = issuer
        self.subject = subject
        self.audience = audience
        self.issuedAt = issuedAt
        expiresAt = issuedAt + min(max(lifetime, 1), Self.maximumLifetime)
        self.tokenID = tokenID
        self.nonce = nonce
        self.verifierID = verifierID
        self.keyThumbprint = keyThumbprint
        self.appraisal = appraisal
        self.statusReference = statusReference
    }
}

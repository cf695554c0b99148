public import TPM2

/// What a verifier asks of an attester, once.
public struct Challenge: Sendable, Hashable {
    /// 32 random bytes of the verifier; in a background check, 16 to 64 bytes of the relying party.
    public let nonce: [UInt8]
    /// The PCRs to quote: the answer's selection must equal it byte by byte.
    public let selection: TPM.PCRSelectionList
    /// The attestation key that must answer, when it was named.
    public let attestationKey: TPM.Name?
    /// The nonce of whoever asked for the result, to be echoed to them; it plays no part in freshness.
    public let requesterNonce: [UInt8]?
    /// Seconds since 1970 after which no answer is accepted.
    public let expiresAt: Int64

    /// A challenge.
    public init(
        nonce: [UInt8], selection: TPM.PCRSelectionList, attestationKey: TPM.Name? = nil,
        requesterNonce: [UInt8]? = nil,
        expiresAt: Int64
    ) {
        self.nonce = nonce
        self.selection = selection
        self.attestationKey = attestationKey
        self.requesterNonce = requesterNonce
        self.expiresAt = expiresAt
    }
}

/// What a TPM stated and signed.
public struct Attestation: Sendable, Hashable {
    /// `TPMS_ATTEST`, without a TPM2B size: the signed bytes.
    public let attest: [UInt8]
    /// `TPMT_SIGNATURE`.
    public let signature: [UInt8]
}

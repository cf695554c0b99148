public import TPM2

/// One measurement that systemd made in the running system, as its log tells it.
///
/// A quote vouches for register and digest once a replay reaches the quoted value; for the text only where
/// ``Event/binding(in:)`` says so; for the rest never.
public struct RuntimeRecord: Sendable, Hashable {
    /// What was extended.
    public enum Register: Sendable, Hashable {
        /// A PCR, 0 to 23.
        case pcr(Int)
        /// An NV index of the type TPM2_NT_EXTEND, which a quote of PCRs does not cover.
        case nvIndex(UInt32)
    }

    /// What was extended.
    public let register: Register
    /// The digest in each bank.
    public let digests: [TPM.AlgorithmID: [UInt8]]
    /// systemd's description: where ``isKeyed`` is false, what was measured, in UTF-8.
    public let untrustedText: String?
    /// systemd's name for the kind of measurement, as in `phase`, `machine-id` or `volume-key`.
    public let untrustedKind: String?
    /// The boot in which it was made, 32 hexadecimal digits.
    public let untrustedBootID: String?
    /// Microseconds since that boot.
    public let untrustedTimestamp: Int64?

    /// Whether, by its kind, the digest is a keyed one of the text: without the key nobody can recompute it.
    public var isKeyed: Bool { untrustedKind == "volume-key" || untrustedKind == "credential" }
}

public import TPM2

/// What an attester sends, as it was read: nothing in it is believed yet.
public struct Evidence: Sendable, Hashable {
    /// The media type of the JSON object.
    public static let mediaType = "application/vnd.carnet.tpm-evidence+json"

    /// A structure that a TPM signed, and its signature, both as bytes.
    public struct Signed: Sendable, Hashable {
        /// `TPMS_ATTEST`.
        public let attest: [UInt8]
        /// `TPMT_SIGNATURE`.
        public let signature: [UInt8]

        /// Two byte strings.
        public init(attest: [UInt8], signature: [UInt8]) {
            self.attest = attest
            self.signature = signature
        }
    }

    /// The proof that a key is in the TPM: its public area, and its certification by the attestation key.
    public struct KeyAttestation: Sendable, Hashable {
        /// `TPMT_PUBLIC`.
        public let publicArea: [UInt8]
        public let certification: Signed

        /// A key and its certification.
        public init(publicArea: [UInt8], certification: Signed) {
            self.publicArea = publicArea
            self.certification = certification
        }
    }

    /// The kernel's list of what it measured, or what of it is new.
    public struct IMA: Sendable, Hashable {
        /// How many entries of the boot's list came before these bytes, 0 to 2^40: what the attester says.
        public let offset: Int
        /// The list as the kernel gives it (`binary_runtime_measurements`), from entry number ``offset`` on; possibly no entries.
        public let entries: [UInt8]

        /// A part of a list that begins with an entry.
        public init(offset: Int, entries: [UInt8]) {
            self.offset = offset
            self.entries = entries
        }
    }

    /// The name of the attestation key that the attester says it used.
    public let attestationKey: TPM.Name
    public let quote: Signed
    /// The values of PCRs by bank and index.
    public let pcrs: [TPM.AlgorithmID: [Int: [UInt8]]]
    /// The TCG event log as the kernel gives it.
    public let eventLog: [UInt8]?
    /// systemd's log of what it measured in the running system (`tpm2-measure.log`).
    public let runtimeLog: [UInt8]?
    public let ima: IMA?
    /// The exact bytes of the JSON object with the keys to bind.
    public let bound: [UInt8]
    /// For the key in `cnf`.
    public let keyAttestation: KeyAttestation?
    /// For the key in `enc`.
    public let encryptionKeyAttestation: KeyAttestation?
    /// For the key in `storage`.
    public let storageKeyAttestation: KeyAttestation?

    /// Evidence from its parts.
    public init(
        attestationKey: TPM.Name, quote: Signed, pcrs: [TPM.AlgorithmID: [Int: [UInt8]]], eventLog: [UInt8]?,
        runtimeLog: [UInt8]? = nil, ima: IMA? = nil, bound: [UInt8],
        keyAttestation: KeyAttestation?, encryptionKeyAttestation: KeyAttestation?,
        storageKeyAttestation: KeyAttestation? = nil
    ) {
        self.attestationKey = attestationKey
        self.quote = quote
        self.pcrs = pcrs
        self.eventLog = eventLog
        self.runtimeLog = runtimeLog
        self.ima = ima
        self.bound = bound
        self.keyAttestation = keyAttestation
        self.encryptionKeyAttestation = encryptionKeyAttestation
        self.storageKeyAttestation = storageKeyAttestation
    }
}

/// Why evidence cannot be read: the member at fault as a path, and the reason.
public struct EvidenceError: Error, Hashable, CustomStringConvertible {
    public let member: String
    public let reason: String

    /// An error at a member, like `quote.attest`; the empty path is the whole.
    public init(_ member: String, _ reason: String) {
        self.member = member
        self.reason = reason
    }

    /// The member and the reason.
    public var description: String { member.isEmpty ? reason : "\(member): \(reason)" }
}

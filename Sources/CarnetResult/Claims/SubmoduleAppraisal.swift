/// What was found out about one submodule (EAR-appraisal of draft-ietf-rats-ear-04 §3.2).
public struct SubmoduleAppraisal: Sendable, Hashable {
    /// The status; never better than the worst asserted claim of the vector.
    public let status: TrustTier
    public let vector: TrustworthinessVector
    /// Identifiers of the policies, in the order in which they were applied.
    public let policyIDs: [String]
    /// The nonce that the evidence carried.
    public let evidenceNonce: [UInt8]?
    /// What the attester says of itself, once authenticated.
    public let attesterClaims: AttesterClaims
    /// What the verifier says about its appraisal.
    public let verifierClaims: VerifierClaims

    /// An appraisal; a status better than the vector allows is lowered to it.
    public init(
        status: TrustTier, vector: TrustworthinessVector, policyIDs: [String], evidenceNonce: [UInt8]? = nil,
        attesterClaims: AttesterClaims = .init(), verifierClaims: VerifierClaims
    ) {
        self.status = vector.isEmpty ? status : min(status, vector.worstTier)
        self.vector = vector
        self.policyIDs = policyIDs
        self.evidenceNonce = evidenceNonce
        self.attesterClaims = attesterClaims
        self.verifierClaims = verifierClaims
    }
}

/// `ear_attester_claims` of Carnet's TPM submodule.
public struct AttesterClaims: Sendable, Hashable {
    /// Whether Secure Boot was enforced; `nil` when the log does not say it believably.
    public var secureBoot: Bool?
    /// How often the TPM was reset: a boot epoch.
    public var resetCount: UInt32?
    /// The TPM's firmware version, 16 hexadecimal digits.
    public var tpmFirmware: String?

    /// Claims, each of them optional.
    public init(secureBoot: Bool? = nil, resetCount: UInt32? = nil, tpmFirmware: String? = nil) {
        self.secureBoot = secureBoot
        self.resetCount = resetCount
        self.tpmFirmware = tpmFirmware
    }
}

/// How much of the evidence was appraised.
public enum AppraisalDepth: String, Sendable, Hashable, Comparable, CaseIterable {
    /// PCR values only.
    case pcrs
    /// PCR values, each explained by the firmware's event log.
    case eventLog = "event-log"
    /// And every file that the kernel measured was appraised, by its list.
    case eventLogAndIMA = "event-log+ima"

    /// Whether the left depth is the shallower.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .pcrs: 0
        case .eventLog: 1
        case .eventLogAndIMA: 2
        }
    }
}

/// Where a bound key lives.
public enum KeyProtection: String, Sendable, Hashable, Comparable, CaseIterable {
    /// In a file or a process: whoever copies it holds it.
    case software
    /// In this TPM, certified by its attestation key: it cannot leave.
    case tpm
    /// In this TPM, which uses it only while the PCRs hold the values that were quoted.
    case tpmState = "tpm-state"

    /// Whether the left protection is the weaker.
    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .software: 0
        case .tpm: 1
        case .tpmState: 2
        }
    }
}

/// `ear_verifier_claims` of Carnet's TPM submodule.
public struct VerifierClaims: Sendable, Hashable {
    public var depth: AppraisalDepth
    /// The protection of the key in `cnf`.
    public var keyProtection: KeyProtection
    /// The key to which secrets may be encrypted, and its protection.
    public var encryptionKey: BoundEncryptionKey?
    /// The PCR banks that were quoted.
    public var banks: [String]
    /// Labels of the machine that its operator lets relying parties see (`node_labels`).
    public var nodeLabels: [String: String]
    /// The phases of the boot that the logs confirm, in their order; `nil` where no runtime log explains PCR 11.
    public var phases: [String]?
    /// The most phases that are stated.
    public static let maximumPhaseCount = 32
    /// What keys or secrets are bound to, or can be; `nil` where the evidence bound neither.
    public var state: StateBinding?

    /// The verifier's claims.
    public init(
        depth: AppraisalDepth, keyProtection: KeyProtection, encryptionKey: BoundEncryptionKey? = nil, banks: [String],
        nodeLabels: [String: String] = [:]
    ) {
        self.depth = depth
        self.keyProtection = keyProtection
        self.encryptionKey = encryptionKey
        self.banks = banks
        self.nodeLabels = nodeLabels
    }
}

/// A P-256 key for ECDH that the evidence bound, with where it lives.
public struct BoundEncryptionKey: Sendable, Hashable {
    public let key: JSONWebKey
    public let protection: KeyProtection

    /// A key and its protection.
    public init(key: JSONWebKey, protection: KeyProtection) {
        self.key = key
        self.protection = protection
    }
}

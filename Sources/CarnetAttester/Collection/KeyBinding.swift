public import CarnetResult

/// Which keys an attester binds, and how closely.
public struct KeyBinding: Sendable, Hashable {
    /// How closely the signing and the encryption key are bound.
    public enum Closeness: String, Sendable, Hashable, CaseIterable {
        /// To this TPM.
        case tpm
        /// To this TPM in the state that is quoted: when a covered PCR moves, the keys work no more.
        case tpmState = "tpm-state"
    }

    public var closeness: Closeness
    /// Whether a storage key is bound as well, so that secrets can be given as TPM import blobs.
    public var includesStorageKey: Bool
    /// A key outside of the TPM that is bound in place of all those that live in it, for programs that can only use a key in a file. The
    /// passport says `software`: whoever copies the file holds the key.
    public let foreignKey: JSONWebKey?

    /// Keys that are bound to the TPM, without a storage key, unless told otherwise.
    public init(_ closeness: Closeness = .tpm, includesStorageKey: Bool = false) {
        self.closeness = closeness
        self.includesStorageKey = includesStorageKey
        foreignKey = nil
    }

    /// A key outside of the TPM, and no other.
    public init(foreignKey: JSONWebKey) {
        closeness = .tpm
        includesStorageKey = false
        self.foreignKey = foreignKey
    }

    /// Whether keys are bound that follow the machine's state.
    var followsState: Bool { closeness == .tpmState && foreignKey == nil }
}

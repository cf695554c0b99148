/// What a local program can ask of the agent. Each has rules of its own.
public enum LocalCall: String, Sendable, Hashable, CaseIterable {
    /// The passport itself.
    case passport
    /// A proof of possession, which uses the TPM.
    case proofs
    /// How it stands.
    case status
}

/// What a relying party demands of a proof of possession (RFC 9449 §4.3).
public struct ProofExpectations: Sendable, Hashable {
    /// How old a proof may be, and how far in the future its clock, in seconds: 1 to 600.
    public var window: Int64 = 60 {
        didSet { window = min(max(window, 1), 600) }
    }
    /// How many proofs are remembered at once. None is forgotten while it is fresh: a key may have as many fresh proofs as there is room
    /// for further ones, so at most half of these, and is refused beyond that (``Refusal/Code/proofLimit``).
    public var replayCacheCapacity = 100_000

    /// A window of a minute and a memory of 100,000 proofs.
    public init() {}
}

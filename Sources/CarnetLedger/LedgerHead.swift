/// The last entry of a chain: whoever knows it knows every entry before it.
public struct LedgerHead: Sendable, Hashable {
    /// The chain's name.
    public let chain: String
    /// The entry's number.
    public let number: Int64
    /// The entry's hash, 32 bytes.
    public let hash: [UInt8]

    /// A head.
    public init(chain: String, number: Int64, hash: [UInt8]) {
        self.chain = chain
        self.number = number
        self.hash = hash
    }
}

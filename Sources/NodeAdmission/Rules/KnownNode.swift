/// What the cluster says of a node's addresses (`status.addresses` of Node objects), for serving certificates.
///
/// A kubelet writes its own node's addresses. What it cannot write is that another node does not have them.
public struct KnownNode: Sendable, Hashable {
    /// The node's own addresses, as text. What is no address, such as a host name, is passed over.
    public var addresses: [String]
    /// The addresses of all other nodes, as text.
    public var addressesOfOthers: Set<String>

    /// A node's addresses and those of the others.
    public init(addresses: [String], addressesOfOthers: Set<String>) {
        self.addresses = addresses
        self.addressesOfOthers = addressesOfOthers
    }
}

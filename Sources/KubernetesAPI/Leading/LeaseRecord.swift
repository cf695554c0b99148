/// What a Lease says: who leads, since when, and how long without a sign counts as an end.
///
/// Times are texts: whoever watches a lease goes by its own clock from the moment in which it saw a change, and never by the holder's.
/// Source: Kubernetes API, `coordination.k8s.io/v1`, `LeaseSpec`; the protocol is that of client-go's leader election.
package struct LeaseRecord: Sendable, Hashable {
    /// Who leads; empty for nobody.
    package var holder: String
    /// How long the holder may be silent, in seconds.
    package var seconds: Int64
    /// When the holder began to lead, `MicroTime`.
    package var acquiredAt: String
    /// When it was heard last, `MicroTime`.
    package var renewedAt: String
    /// How often the lease went from one to another.
    package var transitions: Int64

    /// The record of a lease.
    package init(_ object: KubernetesObject) {
        let spec = object.spec
        holder = spec["holderIdentity"]?.string ?? ""
        seconds = spec["leaseDurationSeconds"]?.integer ?? 0
        acquiredAt = spec["acquireTime"]?.string ?? ""
        renewedAt = spec["renewTime"]?.string ?? ""
        transitions = spec["leaseTransitions"]?.integer ?? 0
    }

    /// A new record.
    package init(holder: String, seconds: Int64, acquiredAt: String, renewedAt: String, transitions: Int64) {
        self.holder = holder
        self.seconds = seconds
        self.acquiredAt = acquiredAt
        self.renewedAt = renewedAt
        self.transitions = transitions
    }

    /// The record as a lease's `spec`.
    package var spec: JSONValue {
        [
            "holderIdentity": .string(holder), "leaseDurationSeconds": .integer(seconds),
            "acquireTime": .string(acquiredAt), "renewTime": .string(renewedAt),
            "leaseTransitions": .integer(transitions),
        ]
    }
}

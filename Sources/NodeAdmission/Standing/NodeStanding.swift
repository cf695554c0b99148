/// How a node that has joined stands, by the passport that it shows.
public enum NodeStanding: Sendable, Hashable {
    /// Its machine is what it should be, until this time, in seconds since 1970.
    case attested(from: Int64, until: Int64)
    /// The verifier, or what the cluster demands, says no to the machine. This does not pass with the passport's time.
    case contraindicated
    /// The passport was withdrawn.
    case revoked
    /// The passport was good until this time, in seconds since 1970.
    case lapsed(at: Int64)
    /// What is shown is no passport of this machine for this cluster, for this reason.
    case unreadable(reason: String)
    /// A check could not run, for this reason: keys or lists are missing or too old.
    case unknown(reason: String)
}

/// Which authorities may vouch for the server that is asked.
public enum TrustedAuthorities: Sendable, Hashable {
    /// Those of the system.
    case system
    /// Only those of a PEM file. One that cannot be read fails every refresh, with the reason.
    case file(String)
}

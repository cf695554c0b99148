/// Which Carnet this is.
public enum Release {
    /// The version of all programs and libraries, which are released together (Semantic Versioning 2.0.0).
    public static let version = "0.1.0"
}

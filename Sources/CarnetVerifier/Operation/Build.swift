import CarnetResult

/// Which program this is: `ear_verifier_id` in tokens.
package enum Build {
    /// The developer's URI.
    package static let developer = "https://carnet.dev"
    /// The version.
    package static let version = Release.version
    /// The build's name.
    package static let name = "carnet-verifier " + version
}

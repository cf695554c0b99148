/// A setting that cannot be read, and where it stands. The sentence never repeats the value, which may be a secret.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `PATH:LINE`, or `PATH`, or `the environment`.
    package let place: String
    /// The key, or the name of the variable; empty when the whole is meant.
    package let key: String
    package let reason: String

    init(_ place: String, _ key: String, _ reason: String) {
        self.place = place
        self.key = key
        self.reason = reason
    }

    /// One line for the operator.
    package var description: String { "\(place): \(key.isEmpty ? "" : key + " ")\(reason)" }

    /// A name that is no setting, and the one that was probably meant.
    ///
    /// - Parameter prefix: What all of them begin with.
    static func unknown(
        _ name: String, in place: String, among names: [String], behind prefix: String = ""
    ) -> ConfigurationError {
        let nearest = NearestName.to(name, among: names, behind: prefix).map { "; did you mean \($0)?" } ?? ""
        return ConfigurationError(place, String(name.prefix(80)), "is not a setting\(nearest)")
    }
}

/// How long API tokens last.
package enum APITokenLifetime {
    /// When nothing else is asked for: 90 days, in seconds.
    package static let standard: Int64 = 90 * 86_400
    /// From a minute to 400 days, in seconds. A token without an end cannot be asked for.
    package static let allowed: ClosedRange<Int64> = 60...(400 * 86_400)
}

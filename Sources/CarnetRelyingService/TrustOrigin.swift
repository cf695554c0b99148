/// Where a relying service's trust in passports comes from.
package enum TrustOrigin: Sendable, Hashable {
    /// A verifier's keys and status lists, fetched whenever they are due.
    ///
    /// - Parameters:
    ///   - issuer: Whose passports count.
    ///   - base: Where it is reached.
    case issuer(String, base: String, authorityFile: String?, allowsPlainHTTP: Bool)
    /// A bundle in a file; read again when it changes.
    ///
    /// - Parameter root: The thumbprint of the root key that signed it.
    case bundle(file: String, root: String, issuer: String?)
}

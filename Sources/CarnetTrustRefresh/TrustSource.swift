public import CarnetResult
internal import Foundation

/// Where trust comes from: always from configuration, and never from a token.
public struct TrustSource: Sendable {
    enum Kind: Sendable {
        /// `base` is where the issuer's names are served: they begin with the issuer, and are fetched below the base.
        case issuer(keySet: String, base: String, withStatusLists: Bool)
        case bundle(String, BundleTrust)
    }

    let kind: Kind

    /// Why a URL is not taken.
    public struct UnusableURL: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// An issuer's key set, and all the status lists that it names.
    ///
    /// - Parameters:
    ///   - base: Where the issuer is reached, as `https://verifier.example`; most often the issuer's own name.
    ///   - jwksURI: Where its key set is; by default `/.well-known/jwks.json` below `base`.
    ///   - allowsPlainHTTP: Whether `http://` to a loopback address is taken.
    public static func issuer(
        at base: String, jwksURI: String? = nil, statusLists: Bool = true, allowsPlainHTTP: Bool = false
    ) throws(UnusableURL) -> TrustSource {
        let base = try checked(base, allowsPlainHTTP)
        let keys = try jwksURI.map { uri throws(UnusableURL) in try checked(uri, allowsPlainHTTP) }
        return TrustSource(
            kind: .issuer(keySet: keys ?? base + "/.well-known/jwks.json", base: base, withStatusLists: statusLists))
    }

    /// A trust bundle.
    ///
    /// - Parameter trust: What to accept first: a root key's fingerprint, or what was kept of the last bundle.
    public static func bundle(
        at url: String, trusting trust: BundleTrust, allowsPlainHTTP: Bool = false
    ) throws(UnusableURL) -> TrustSource {
        TrustSource(kind: .bundle(try checked(url, allowsPlainHTTP), trust))
    }

    private static func checked(_ text: String, _ allowsPlainHTTP: Bool) throws(UnusableURL) -> String {
        var url = text
        while url.hasSuffix("/") { url.removeLast() }
        guard url.utf8.count <= 2048, url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty, parts.user == nil,
            parts.password == nil, parts.query == nil, parts.fragment == nil
        else { throw UnusableURL(description: "\(text) is no URL without user, query and fragment") }
        guard parts.scheme == "https" || (parts.scheme == "http" && allowsPlainHTTP && isLoopback(host)) else {
            throw UnusableURL(
                description: "\(text) is not https; plain HTTP is for loopback, and only when it is asked for")
        }
        return url
    }

    private static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
        let octets = host.split(separator: ".", omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0] == "127" && octets.allSatisfy { UInt8($0) != nil }
    }
}

public import CarnetResult

/// All that a relying party needs to check passports without any network, signed by whoever the operator trusts to say it: issuers with
/// their current and next keys, status lists, and a minimum policy.
///
///     let bundle = try TrustBundle(parsing: file, trusting: BundleTrust(rootKey: "…"), at: now)
///     let verifier = try PassportVerifier(bundle: bundle, audience: "https://vault.example")
///
/// Only a bundle whose signature, chain, number and times were checked has this type.
public struct TrustBundle: Sendable {
    /// What the bundle is called.
    public let name: String
    /// Its number, from 1. A machine that keeps ``trust`` never goes back.
    public let sequence: Int64
    public let issuers: [BundledIssuer]
    /// What every passport must be at least.
    public let minimum: MinimumPolicy
    /// What to accept next: keep its ``CarnetResult/BundleTrust/bytes``, and give it to the next bundle's reading.
    public let trust: BundleTrust
    /// Whether the bundle counted for good or in its grace when it was read. Every ``VerifiedResult`` says it for its own time.
    public let freshness: BundleFreshness
    let validity: BundleValidity

    /// Seconds since 1970.
    public var issuedAt: Int64 { validity.issuedAt }
    /// Seconds since 1970; afterwards the bundle counts for ``grace``.
    public var expiresAt: Int64 { validity.expiresAt }
    /// In seconds.
    public var grace: Int64 { validity.grace }

    /// Reads and checks a bundle.
    ///
    /// - Parameters:
    ///   - token: The file's content without white space around it.
    ///   - trust: The root key's fingerprint, or what the bundle before left behind.
    ///   - now: Seconds since 1970, by the relying party's own clock.
    public init(parsing token: [UInt8], trusting trust: BundleTrust, at now: Int64) throws(BundleError) {
        let unverified = try UnverifiedBundle(parsing: token)
        let (content, next) = try unverified.verified(trusting: trust)
        validity = BundleValidity(
            issuedAt: content.issuedAt, expiresAt: content.expiresAt, grace: content.grace)
        freshness = try validity.freshness(at: now)
        name = unverified.link.name
        sequence = unverified.link.sequence
        issuers = content.issuers
        minimum = content.minimum
        self.trust = next
    }

    /// The issuer with a name, or the only one.
    func issuer(named name: String?) throws(BundleError) -> BundledIssuer {
        guard let name else {
            guard issuers.count == 1, let only = issuers.first else {
                let names = issuers.map { TokenClaims.printable($0.name) }.joined(separator: ", ")
                throw BundleError(
                    .expectations, "the bundle has \(issuers.count) issuers: say whose passports you take, of \(names)")
            }
            return only
        }
        guard let issuer = issuers.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
            throw BundleError(.expectations, "the bundle has no issuer \(TokenClaims.printable(name))")
        }
        return issuer
    }
}

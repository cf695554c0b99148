internal import StrictEncoding

/// What a bundle says, apart from its name, its number and its chain.
public struct BundleContent: Sendable, Hashable {
    /// Seconds since 1970.
    public var issuedAt: Int64
    /// Seconds since 1970; afterwards the bundle counts for its grace, and then no more.
    public var expiresAt: Int64
    /// How long the bundle still counts after ``expiresAt``, in seconds: at most ``maximumGrace``.
    public var grace: Int64
    /// Who may issue passports, each name once.
    public var issuers: [BundledIssuer]
    /// What every passport must be at least.
    public var minimum: MinimumPolicy

    /// The longest life, `exp` less `iat`, in seconds: 400 days.
    public static let maximumLifetime: Int64 = 400 * 86_400
    /// The longest grace in seconds: 90 days.
    public static let maximumGrace: Int64 = 90 * 86_400
    /// The most issuers.
    public static let maximumIssuerCount = 16

    /// A content to be signed.
    public init(
        issuedAt: Int64, expiresAt: Int64, grace: Int64, issuers: [BundledIssuer],
        minimum: MinimumPolicy = MinimumPolicy()
    ) {
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.grace = grace
        self.issuers = issuers
        self.minimum = minimum
    }

    static let members: Set<String> = ["ver", "iat", "exp", "grace", "chain", "issuers", "minimum"]

    init(_ reading: BundleReading) throws(BundleError) {
        issuedAt = try reading.integer("iat", 0...9_999_999_999)
        expiresAt = try reading.integer("exp", 0...9_999_999_999)
        grace = try reading.integer("grace", 0...Self.maximumGrace)
        guard issuedAt < expiresAt, expiresAt - issuedAt <= Self.maximumLifetime else {
            throw BundleError(.content, "the bundle does not live between a second and 400 days")
        }
        var issuers: [BundledIssuer] = []
        for node in try reading.elements("issuers", upTo: Self.maximumIssuerCount) {
            let issuer = try BundledIssuer(node)
            guard !issuers.contains(where: { $0.name == issuer.name }) else {
                throw BundleError(.content, "the issuer \(issuer.name) is there twice")
            }
            issuers.append(issuer)
        }
        guard !issuers.isEmpty else { throw BundleError(.content, "the bundle has no issuer") }
        self.issuers = issuers
        minimum = try MinimumPolicy(reading.node["minimum"])
    }

    func write(to writer: inout JSONWriter) {
        writer.integer("iat", issuedAt)
        writer.integer("exp", expiresAt)
        writer.integer("grace", grace)
        writer.object("minimum") { minimum.write(to: &$0) }
        writer.array("issuers") { writer in
            for issuer in issuers { writer.object { issuer.write(to: &$0) } }
        }
    }
}

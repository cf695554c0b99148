internal import StrictEncoding

/// What a bundle's maker demands of every passport. A relying party's own expectations can demand more, and never less.
public struct MinimumPolicy: Sendable, Hashable {
    /// The worst acceptable tier.
    public var tier: TrustTier?
    /// The shallowest acceptable appraisal.
    public var depth: AppraisalDepth?
    /// The weakest acceptable protection of the bound key.
    public var keyProtection: KeyProtection?
    /// Policies of which one must have been applied; empty demands none.
    public var policyIDs: [String] = []
    /// SHA-256 digests of policies, in lower-case hexadecimal, of which one must have been applied; empty demands none.
    public var policyDigests: [String] = []
    /// The oldest acceptable passport, in seconds.
    public var maximumAge: Int64?
    /// That passports are looked up in status lists of at most this age in seconds, 0 to 86,400.
    public var maximumStatusAge: Int64?

    /// The most policies, and the most digests.
    public static let maximumPolicyCount = 64

    /// Demands nothing.
    public init() {}

    init(_ node: JSONNode?) throws(BundleError) {
        let reading = try BundleReading(
            node, "minimum",
            members: [
                "tier", "depth", "key_protection", "policy_ids", "policy_digests", "maximum_age", "maximum_status_age",
            ])
        tier = try Self.value("tier", reading.node)
        depth = try Self.value("depth", reading.node)
        keyProtection = try Self.value("key_protection", reading.node)
        if reading.node["policy_ids"] != nil {
            policyIDs = try reading.texts("policy_ids", upTo: Self.maximumPolicyCount) {
                (1...1024).contains($0.utf8.count)
            }
        }
        if reading.node["policy_digests"] != nil {
            policyDigests = try reading.texts("policy_digests", upTo: Self.maximumPolicyCount, where: Self.isDigest)
        }
        if reading.node["maximum_age"] != nil { maximumAge = try reading.integer("maximum_age", 1...86_400) }
        if reading.node["maximum_status_age"] != nil {
            maximumStatusAge = try reading.integer("maximum_status_age", 0...86_400)
        }
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && Hexadecimal.decode(text)?.count == 32 && text == text.lowercased()
    }

    private static func value<Value: RawRepresentable<String>>(
        _ member: String, _ node: JSONNode
    ) throws(BundleError) -> Value? {
        guard let found = node[member] else { return nil }
        guard let value = found.string.flatMap(Value.init(rawValue:)) else {
            throw BundleError(.content, "\(member) of minimum is not known")
        }
        return value
    }

    func write(to writer: inout JSONWriter) {
        if let tier { writer.string("tier", tier.rawValue) }
        if let depth { writer.string("depth", depth.rawValue) }
        if let keyProtection { writer.string("key_protection", keyProtection.rawValue) }
        if !policyIDs.isEmpty {
            writer.array("policy_ids") { writer in for policy in policyIDs { writer.element(policy) } }
        }
        if !policyDigests.isEmpty {
            writer.array("policy_digests") { writer in for digest in policyDigests { writer.element(digest) } }
        }
        if let maximumAge { writer.integer("maximum_age", maximumAge) }
        if let maximumStatusAge { writer.integer("maximum_status_age", maximumStatusAge) }
    }
}

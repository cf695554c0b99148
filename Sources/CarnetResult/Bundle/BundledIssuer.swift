internal import StrictEncoding

/// One issuer in a bundle: its name, its keys, and its status lists.
public struct BundledIssuer: Sendable, Hashable {
    /// The verifier's `iss`, byte for byte.
    public let name: String
    /// The keys with which it signs now.
    public let currentKeys: JSONWebKeySet
    /// The keys with which it will sign; `nil` when none are known. They count like the current ones.
    public let nextKeys: JSONWebKeySet?
    /// Its status lists as Status List Tokens, compact JWS in ASCII.
    public let statusLists: [[UInt8]]

    /// The most keys, current and next each.
    public static let maximumKeyCount = 16
    /// The most status lists.
    public static let maximumListCount = 64

    /// An issuer to be put into a bundle.
    public init(name: String, currentKeys: JSONWebKeySet, nextKeys: JSONWebKeySet? = nil, statusLists: [[UInt8]] = []) {
        self.name = name
        self.currentKeys = currentKeys
        self.nextKeys = nextKeys
        self.statusLists = statusLists
    }

    /// Current and next keys together: what passports and lists are verified with.
    public var keySet: JSONWebKeySet {
        JSONWebKeySet(
            verificationKeys: currentKeys.verificationKeys.merging(nextKeys?.verificationKeys ?? [:]) { $1 })
    }

    init(_ node: JSONNode) throws(BundleError) {
        let reading = try BundleReading(node, "an issuer", members: ["iss", "keys", "next_keys", "status_lists"])
        name = try reading.name("iss")
        var kids: Set<[UInt8]> = []
        guard let current = try Self.keys("keys", reading, &kids) else {
            throw BundleError(.content, "the issuer has no key")
        }
        currentKeys = current
        nextKeys = try Self.keys("next_keys", reading, &kids)
        statusLists = try reading.texts("status_lists", upTo: Self.maximumListCount) { !$0.isEmpty }
            .map { Array($0.utf8) }
        let keySet = keySet
        for list in statusLists {
            do {
                _ = try UnverifiedStatusListToken(parsing: list).verified(by: keySet)
            } catch {
                throw BundleError(.content, "a status list in the bundle cannot be used: \(error)")
            }
        }
    }

    /// Keys that can all be used, each under a `kid` of its own; `nil` for none.
    private static func keys(
        _ member: String, _ reading: BundleReading, _ kids: inout Set<[UInt8]>
    ) throws(BundleError) -> JSONWebKeySet? {
        var keys: [String: VerificationKey] = [:]
        for node in try reading.elements(member, upTo: maximumKeyCount) {
            guard !JSONWebKey.privateMembers.contains(where: { node[$0] != nil }) else {
                throw BundleError(.content, "a key of the issuer is private")
            }
            guard let kid = node["kid"]?.string, (1...256).contains(kid.utf8.count),
                kids.insert(Array(kid.utf8)).inserted, keys[kid] == nil, node["use"]?.isString(equalTo: "sig") == true
            else { throw BundleError(.content, "a key of the issuer has no kid of its own, or is not for signatures") }
            do {
                guard let key = try VerificationKey(node) else {
                    throw JOSEError.invalidKey("it is not for ES256, RS256 or Ed25519")
                }
                keys[kid] = key
            } catch {
                throw BundleError(.content, "a key of the issuer cannot be used: \(error)")
            }
        }
        return keys.isEmpty ? nil : JSONWebKeySet(verificationKeys: keys)
    }

    func write(to writer: inout JSONWriter) {
        writer.string("iss", name)
        writer.array("keys") { currentKeys.writeElements(to: &$0) }
        writer.array("next_keys") { writer in nextKeys?.writeElements(to: &writer) }
        writer.array("status_lists") { writer in
            for list in statusLists { writer.element(String(decoding: list, as: UTF8.self)) }
        }
    }
}

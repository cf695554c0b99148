internal import CarnetRelyingParty
internal import CarnetResult
internal import StrictEncoding

/// What an issuer published last, as it was fetched: to be kept where nobody else writes, so that a service which starts while the issuer is
/// away goes on (``TrustRefresher/take(_:)-(KeptTrust)``).
///
/// Nothing gets younger by being kept: the keys count from the time at which they were fetched, and each status list has its own times.
/// Whoever can write where it is kept chooses the issuer's keys: mark it with a key of your own, or keep it in a folder that is yours.
public struct KeptTrust: Sendable, Hashable {
    /// Whose keys and lists they are.
    public let issuer: String
    /// When the keys were fetched, in seconds since 1970.
    public let fetchedAt: Int64
    /// The key set as the issuer sent it.
    let keySet: [UInt8]
    /// Status List Tokens by name, compact JWS in ASCII.
    let statusLists: [String: [UInt8]]

    /// The longest ``bytes`` that are read.
    public static let maximumByteCount = 16 << 20

    /// Why something is not taken.
    public struct Unusable: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    init(issuer: String, fetchedAt: Int64, keySet: [UInt8], statusLists: [String: [UInt8]]) {
        self.issuer = issuer
        self.fetchedAt = fetchedAt
        self.keySet = keySet
        self.statusLists = statusLists
    }

    /// The value as JSON, to be kept: `ver`, `issuer`, `fetched_at`, `keys` in base64url, and `status_lists` by name.
    public var bytes: [UInt8] {
        JSONWriter.object { writer in
            writer.integer("ver", 1)
            writer.string("issuer", issuer)
            writer.integer("fetched_at", fetchedAt)
            writer.string("keys", Base64URL.encode(keySet))
            writer.object("status_lists") { writer in
                for (name, list) in statusLists.sorted(by: { $0.key < $1.key }) {
                    writer.string(named: name, String(decoding: list, as: UTF8.self))
                }
            }
        }
    }

    /// Reads what ``bytes`` wrote. Signatures and times are looked at when it is taken.
    ///
    /// - Throws: ``Unusable`` for anything else, and for more than ``maximumByteCount``.
    public init(parsing bytes: [UInt8]) throws(Unusable) {
        let root: JSONNode
        do {
            root = try JSONDocument(
                parsing: bytes, maximumByteCount: Self.maximumByteCount, maximumDepth: 2,
                maximumValueCount: StatusLists.maximumListCount + 8
            ).root
        } catch {
            throw Unusable(description: "the kept trust is not JSON that can be read in one way: \(error)")
        }
        let names: Set<String> = ["ver", "issuer", "fetched_at", "keys", "status_lists"]
        guard let members = root.members, members.count == names.count,
            members.allSatisfy({ names.contains($0.name) }), root["ver"]?.integer == 1,
            let issuer = root["issuer"]?.string, !issuer.isEmpty,
            let time = root["fetched_at"]?.integer, (0...1 << 40).contains(time),
            let keys = root["keys"]?.string.flatMap({ Base64URL.decode($0) }),
            keys.count <= JSONWebKeySet.maximumByteCount,
            let lists = root["status_lists"]?.members, lists.count <= StatusLists.maximumListCount
        else { throw Unusable(description: "the kept trust has other members than it is written with") }
        var tokens: [String: [UInt8]] = [:]
        for list in lists {
            guard let text = list.value.string, text.utf8.count <= UnverifiedStatusListToken.maximumByteCount else {
                throw Unusable(description: "the kept trust has a status list that is no text, or is too long")
            }
            tokens[list.name] = Array(text.utf8)
        }
        self.init(issuer: issuer, fetchedAt: time, keySet: keys, statusLists: tokens)
    }
}

import CInflate
import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Foundation

/// Status lists: a look-up, which must cost the same for every size, and what a refresh and the making of a list cost.
enum StatusListComparisons {
    private static let uri = "https://verifier.example/status-lists/1", now: Int64 = 1_800_000_000

    static func all() throws -> [Comparison] {
        let forge = try TokenForge(), keySet = try JSONWebKeySet(parsing: forge.keySet)
        let large = try content(10_000_000), small = try content(1024)
        return [
            Comparison(
                name: "1,000 look-ups among 10 M entries", bar: 2, baselineName: "among 1,024 entries",
                baseline: { lookUp(small.list) }, measured: { lookUp(large.list) }),
            try passport(forge, keySet),
            try refresh(forge, keySet, 1_000_000, bar: 4), try refresh(forge, keySet, 10_000_000, bar: 4),
            try making(forge, keySet),
        ]
    }

    /// A passport that is looked up among ten million, against one that names no list.
    private static func passport(_ forge: TokenForge, _ keySet: JSONWebKeySet) throws -> Comparison {
        let list = try forge.statusList(uri, issuedAt: now, width: .one, count: 10_000_000)
        let reference = StatusReference(uri: uri, index: 9_999_999)
        let plain = try forge.result(issuedAt: now)
        let listed = try forge.signingKey.mint(forge.result(issuedAt: now, statusReference: reference))
        let token = try forge.signingKey.mint(plain)
        let verifier = try PassportVerifier(
            keySet: keySet, expectations: Expectations(issuer: plain.issuer, audience: plain.audience[0])
        ).checking(StatusLists([list], keySet: keySet))
        return Comparison(
            name: "verify a passport in a list of 10 M", bar: 1.15, baselineName: "one without a status",
            baseline: { precondition((try? verifier.verify(token, at: now)) != nil) },
            measured: { precondition((try? verifier.verify(listed, at: now))?.revocation.secondsAgo == 0) })
    }

    /// One list in which one of a hundred is revoked: check its signature, read its claims, inflate it.
    private static func refresh(
        _ forge: TokenForge, _ keySet: JSONWebKeySet, _ count: Int, bar: Double
    ) throws -> Comparison {
        let content = try content(count), token = try forge.signingKey.sign(content), bytes = content.list.bytes
        let raw = try RawOpenSSL(forge.key, message: Array(CompactJWS(parsing: token).signingInput))
        let compressed = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, written in
            written = carnet_deflate(bytes, bytes.count, buffer.baseAddress, bytes.count)
        }
        return Comparison(
            name: "refresh a list of \(count / 1_000_000) M, \(token.count / 1000) KB", bar: bar,
            baselineName: "EVP_DigestVerify, inflate",
            baseline: {
                precondition(raw.verify())
                let list = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, written in
                    precondition(
                        carnet_inflate(compressed, compressed.count, buffer.baseAddress, bytes.count) == 1)
                    written = bytes.count
                }
                precondition(list.count == bytes.count)
            },
            measured: { precondition((try? StatusLists([token], keySet: keySet))?.held.count == 1) })
    }

    private static func making(_ forge: TokenForge, _ keySet: JSONWebKeySet) throws -> Comparison {
        let content = try content(1_000_000), token = try forge.signingKey.sign(content)
        return Comparison(
            name: "make a list of 1 M", bar: 200, baselineName: "refresh it",
            baseline: { precondition((try? StatusLists([token], keySet: keySet)) != nil) },
            measured: { precondition((try? forge.signingKey.sign(content)) != nil) })
    }

    private static func content(_ count: Int) throws -> StatusListToken {
        var list = try StatusList(count: count)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<(count / 100) { list.set(.invalid, at: Int.random(in: 0..<count, using: &generator)) }
        return StatusListToken(uri: uri, issuedAt: now, expiresAt: nil, timeToLive: 60, list: list)
    }

    /// A signed list in which one of a hundred is revoked.
    static func token(_ count: Int, _ forge: TokenForge) throws -> [UInt8] { try forge.signingKey.sign(content(count)) }

    private static func lookUp(_ list: StatusList) {
        var index = 0, found = 0
        for _ in 0..<1000 {
            index = (index &+ 7_654_321) % list.count
            if list[index] == .invalid { found += 1 }
        }
        precondition(found < 1000)
    }
}

internal import Cryptography
internal import Synchronization

/// The SHA-256 of a whole token: what a verdict is remembered by.
struct TokenDigest: Hashable, Sendable {
    private let words: SIMD4<UInt64>

    init(of token: [UInt8]) { words = Self.words(HashAlgorithm.sha256.hash(token)) }

    private static func words(_ digest: [UInt8]) -> SIMD4<UInt64> {
        digest.withUnsafeBytes { bytes in
            var words = SIMD4<UInt64>()
            for index in 0..<min(4, bytes.count / 8) {
                words[index] = bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
            }
            return words
        }
    }

    /// A place among `count`, as even as the digest is.
    func place(among count: Int) -> Int { Int(words[0] % UInt64(max(count, 1))) }
}

/// Remembers accepted passports by the digest of every byte. Bounded: what it holds is allotted once.
///
/// Only passports that were accepted come in, so that garbage displaces nothing. Each has a choice of four places, by its digest; where all
/// are taken, the one that expires first gives way. A flood of valid passports can displace others, which then cost a signature check
/// again, and no more. It belongs to one ``PassportVerifier``, so that no two sets of expectations share a verdict.
final class ResultsCache: Sendable {
    private struct Entry: Sendable {
        let digest: TokenDigest
        let result: VerifiedResult
    }

    private static let choices = 4
    /// Several locks, so that threads seldom wait for one another.
    private static let shardCount = 8

    private let shards: [Shard]
    private let setCount: Int

    private final class Shard: Sendable {
        let entries: Mutex<[Entry?]>

        init(capacity: Int) { entries = Mutex(Array(repeating: nil, count: capacity)) }
    }

    /// A memory of about `capacity` passports: rounded up to a multiple of 32, and at most a million.
    init(capacity: Int) {
        let perShard = Self.shardCount * Self.choices
        setCount = max(1, (min(max(capacity, 1), 1 << 20) + perShard - 1) / perShard)
        shards = (0..<Self.shardCount).map { [setCount] _ in Shard(capacity: setCount * Self.choices) }
    }

    /// How many passports fit.
    var capacity: Int { setCount * Self.shardCount * Self.choices }

    /// The verdict about a token, which the caller must check again for what changes with time.
    func result(of digest: TokenDigest) -> VerifiedResult? {
        let (shard, places) = places(of: digest)
        return shard.entries.withLock { entries in
            for place in places {
                if let entry = entries[place], entry.digest == digest { return entry.result }
            }
            return nil
        }
    }

    /// Remembers the verdict about a token.
    func keep(_ result: VerifiedResult, of digest: TokenDigest) {
        let (shard, places) = places(of: digest)
        shard.entries.withLock { entries in
            var chosen = places.lowerBound, earliest = Int64.max
            for place in places {
                guard let entry = entries[place] else {
                    chosen = place
                    break
                }
                if entry.digest == digest {
                    chosen = place
                    break
                }
                if entry.result.expiresAt < earliest { (chosen, earliest) = (place, entry.result.expiresAt) }
            }
            entries[chosen] = Entry(digest: digest, result: result)
        }
    }

    private func places(of digest: TokenDigest) -> (shard: Shard, places: Range<Int>) {
        let place = digest.place(among: setCount * Self.shardCount)
        let first = place / Self.shardCount * Self.choices
        return (shards[place % Self.shardCount], first..<(first + Self.choices))
    }
}

import Cryptography
import MeasurementLogs

/// The kernel's list of a busy server: what its first pass and its next parts cost, against hashing the same template data once.
enum IMAComparisons {
    private static let bank = HashAlgorithm.sha256

    static func all() throws -> [Comparison] {
        let sample = try Sample(entryCount: 10_000), new = 100
        let data = sample.data
        let rest = try IMAList(parsing: sample.bytes(of: 10_000 - new)).count
        guard rest == 10_000 - new, let checkpoint = sample.checkpoint(after: rest) else { throw Unready() }
        let part = Array(sample.bytes.dropFirst(sample.ends[rest - 1]))
        return [
            Comparison(
                name: "parse, replay 10,000 IMA entries", bar: 2.5, baselineName: "hash their data once",
                baseline: { hash(data) },
                measured: {
                    precondition(sample.match(sample.bytes, from: nil) == 10_000)
                }),
            Comparison(
                name: "the same, each looked up by digest", bar: 4, baselineName: "hash their data once",
                baseline: { hash(data) },
                measured: {
                    precondition(sample.match(sample.bytes, from: nil) == 10_000)
                    precondition(sample.isAllowed)
                }),
            Comparison(
                name: "parse and replay 100 new entries", bar: 3, baselineName: "hash their data once",
                baseline: { hash(data.suffix(new)) },
                measured: { precondition(sample.match(part, from: checkpoint) == new) }),
        ]
    }

    private static func hash(_ data: some Sequence<[UInt8]>) { for bytes in data { _ = bank.hash(bytes) } }

    struct Unready: Error {}

    /// A list of files as a package manager installs them.
    private struct Sample {
        let bytes: [UInt8]
        let list: IMAList
        let data: [[UInt8]]
        /// Where each entry ends in ``bytes``.
        let ends: [Int]
        /// The register after each number of entries.
        let values: [[UInt8]]
        let allowed: IMAAllowList

        init(entryCount: Int) throws {
            var builder = IMAListBuilder(), digests: [IMADigest] = []
            for number in 0..<entryCount {
                let name = "/usr/lib/x86_64-linux-gnu/package-\(number % 977)/lib\(number).so"
                guard let digest = IMADigest(.file, .sha256, bank.hash(Array(name.utf8))) else { throw Unready() }
                builder.addFile(name, digest, signature: [])
                digests.append(digest)
            }
            bytes = builder.bytes
            list = try IMAList(parsing: bytes)
            data = list.entries.map(\.hashedData)
            ends = list.entries.map(\.templateData.endIndex)
            var value = [UInt8](repeating: 0, count: bank.byteCount), values = [value]
            for bytes in data {
                bank.extend(&value, with: bank.hash(bytes))
                values.append(value)
            }
            self.values = values
            allowed = try IMAAllowList(digests: digests)
        }

        func bytes(of count: Int) -> [UInt8] { Array(bytes.prefix(ends[count - 1])) }

        func checkpoint(after count: Int) -> IMACheckpoint? {
            IMAReplay.match(list, bank: bank, mode: .native, quoted: values[count]).match?.checkpoint
        }

        /// How many entries the last value covers.
        func match(_ bytes: [UInt8], from checkpoint: IMACheckpoint?) -> Int? {
            guard let list = try? IMAList(parsing: bytes, startingAt: checkpoint?.entryCount ?? 0) else { return nil }
            let quoted = values[values.count - 1]
            return IMAReplay.match(list, bank: bank, mode: .native, quoted: quoted, from: checkpoint).match?
                .coveredCount
        }

        var isAllowed: Bool { list.entries.allSatisfy { allowed.verdict(of: $0).isAllowed } }
    }
}

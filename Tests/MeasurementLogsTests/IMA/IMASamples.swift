import Cryptography
import MeasurementLogs
import Testing

/// Entries and digests that the suites on IMA share.
enum IMASamples {
    /// A file's SHA-256 digest whose bytes come from a text.
    static func digest(_ text: String, _ kind: IMADigest.Kind = .file) throws -> IMADigest {
        try #require(IMADigest(kind, .sha256, HashAlgorithm.sha256.hash(Array(text.utf8))))
    }

    /// A boot aggregate, five files, a violation, a buffer and a file in fs-verity: eight entries.
    static func list() throws -> IMAListBuilder {
        var builder = IMAListBuilder()
        builder.addFile("boot_aggregate", try digest("boot"), signature: [])
        builder.addFile("/init", try digest("init"), signature: [])
        builder.addFile("/bin/sh", try digest("sh"))
        builder.addFile("/bin/signed", try digest("signed"), signature: [3, 2, 4, 1, 2, 3, 4, 0, 2, 9, 9])
        builder.addViolation("/var/log/open")
        builder.addBuffer("dm_table_load", Array("name=root;verity".utf8))
        builder.addFile("/usr/app", try digest("app", .verity), signature: [])
        builder.addFile("/bin/last", try digest("last"), isVersion2: true)
        return builder
    }

    /// The bytes of each entry of a list.
    static func pieces(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let list = try IMAList(parsing: bytes)
        // An entry's data ends where the next begins: the slices keep the list's offsets.
        var starts = list.entries.map { $0.statedDigest.startIndex - 4 }
        starts.append(bytes.count)
        return zip(starts, starts.dropFirst()).map { Array(bytes[$0..<$1]) }
    }

    /// The register after each prefix of a list's entries, folded from what the builder was told and nothing of the parser's.
    static func fold(_ entries: [Extension], _ bank: HashAlgorithm, _ mode: IMAReplay.Mode) -> [[UInt8]] {
        var value = [UInt8](repeating: 0, count: bank.byteCount)
        var values = [value]
        for entry in entries {
            var digest: [UInt8]
            switch (entry, mode) {
            case (.violation, _): digest = [UInt8](repeating: 0xFF, count: bank.byteCount)
            case (.data(let data), .native): digest = bank.hash(data)
            case (.data(let data), .paddedSHA1):
                digest = HashAlgorithm.insecureSHA1.hash(data)
                digest += [UInt8](repeating: 0, count: bank.byteCount - digest.count)
            }
            value = bank.hash(value + digest)
            values.append(value)
        }
        return values
    }

    /// What one entry extends.
    enum Extension: Sendable {
        case data([UInt8])
        case violation
    }

    /// What the entries of a list extend, taken from its bytes by hand.
    static func extensions(_ bytes: [UInt8]) -> [Extension] {
        var rest = bytes[...]
        func number() -> Int {
            let value = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            return value
        }
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        var extensions: [Extension] = []
        while !rest.isEmpty {
            _ = number()
            let stated = take(20), template = take(number())
            var data: [UInt8]
            if template == Array("ima".utf8) {
                data = take(20) + take(number())
                data += [UInt8](repeating: 0, count: 276 - data.count)
            } else {
                data = take(number())
            }
            extensions.append(stated.allSatisfy { $0 == 0 } ? .violation : .data(data))
        }
        return extensions
    }
}

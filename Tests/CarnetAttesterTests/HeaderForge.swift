import Cryptography

/// What somebody with a hand on the disk can do: a header that says something else, with right checksums.
enum HeaderForge {
    /// Replaces a text in the JSON of both copies, or of one.
    static func replacing(_ old: String, _ new: String, in header: [UInt8], copies: [Int] = [0, 1]) -> [UInt8] {
        var header = header
        for copy in copies {
            let start = copy * 16_384, area = (start + 4096)..<(start + 16_384)
            let text = String(decoding: header[area].prefix { $0 != 0 }, as: UTF8.self)
            var bytes = Array(text.replacing(old, with: new).utf8)
            bytes = Array((bytes + [UInt8](repeating: 0, count: area.count)).prefix(area.count))
            header.replaceSubrange(area, with: bytes)
            seal(&header, copy)
        }
        return header
    }

    /// The checksum of a copy (LUKS2 On-Disk Format Specification, §2.1): SHA-256 with its own place zero.
    static func seal(_ header: inout [UInt8], _ copy: Int) {
        let start = copy * 16_384
        for index in 0..<64 { header[start + 448 + index] = 0 }
        let sum = HashAlgorithm.sha256.hash(header[start..<(start + 16_384)])
        header.replaceSubrange((start + 448)..<(start + 480), with: sum)
    }
}

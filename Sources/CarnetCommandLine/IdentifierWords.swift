/// Words of a command line that are identifiers although they begin with a hyphen, as one in 64 does that is base64url.
package enum IdentifierWords {
    /// How long identifiers are that programs make at random: 16 bytes (a passport's `jti`) or 32 (a key's `kid`), in base64url.
    private static let lengths: Set<Int> = [22, 43]

    /// The same words, identifiers that begin with a hyphen behind `--`, where ArgumentParser takes them for what they are.
    ///
    /// A line that has `--` itself is left as it is, and so is what follows an option: it may be its value. No option is as long as an
    /// identifier and has a capital letter or an underscore or a digit.
    package static func behindOptions(_ words: [String]) -> [String] {
        guard !words.contains("--") else { return words }
        var line: [String] = [], identifiers: [String] = []
        for (index, word) in words.enumerated() {
            let before = index > 0 ? words[index - 1] : ""
            let isBehindOption = before.hasPrefix("-") && !before.contains("=") && !isIdentifier(before)
            if isIdentifier(word), !isBehindOption { identifiers.append(word) } else { line.append(word) }
        }
        return identifiers.isEmpty ? words : line + ["--"] + identifiers
    }

    private static func isIdentifier(_ word: String) -> Bool {
        guard word.utf8.first == UInt8(ascii: "-"), lengths.contains(word.utf8.count) else { return false }
        var isRandom = false
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"): break
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                isRandom = true
            default: return false
            }
        }
        return isRandom
    }
}

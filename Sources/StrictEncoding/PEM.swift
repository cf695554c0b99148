/// Textual encodings of keys, certificates and requests (RFC 7468), as strictly as they are written.
///
/// Reading takes nothing but blocks: no text before, between or after them, no header lines, lines of 64 characters as RFC 7468 §2 has
/// its writers make them, and base64 in its one spelling. Two readers of such a text find the same blocks in it, whatever either would
/// pass over or repair.
public enum PEM {
    /// One block: what stands between its marks.
    public struct Block: Sendable, Hashable {
        /// The words in the marks, such as `CERTIFICATE REQUEST`.
        public let label: String
        /// The content, decoded; never empty.
        public let content: [UInt8]

        /// A block with a label of printable ASCII and at least one byte of content.
        public init(label: String, content: [UInt8]) {
            self.label = label
            self.content = content
        }

        /// The block as text, each line with its end, LF.
        public var text: String {
            let base64 = Array(Base64.encode(content).utf8)
            var lines = ["-----BEGIN \(label)-----"]
            for start in stride(from: 0, to: base64.count, by: 64) {
                lines.append(String(decoding: base64[start..<min(start + 64, base64.count)], as: UTF8.self))
            }
            lines.append("-----END \(label)-----")
            return lines.joined(separator: "\n") + "\n"
        }
    }

    /// Why a text is not nothing but blocks.
    public struct ParseError: Error, Hashable, CustomStringConvertible {
        /// The line at fault, counted from 1.
        public let line: Int
        /// What is wrong with it.
        public let reason: String
        /// The line and the reason.
        public var description: String { "line \(line): \(reason)" }
    }

    /// The blocks of a text, in order. Lines end with LF or CR LF; after the last line the end may be missing.
    ///
    /// - Parameters:
    ///   - maximumByteCount: The longest text that is looked at.
    ///   - maximumCount: The most blocks.
    public static func blocks(
        in text: [UInt8], maximumByteCount: Int, maximumCount: Int
    ) throws(ParseError) -> [Block] {
        guard text.count <= maximumByteCount else {
            throw ParseError(line: 1, reason: "the text has \(text.count) bytes; at most \(maximumByteCount) are read")
        }
        var lines = Lines(rest: text[...])
        var blocks: [Block] = []
        while let first = lines.next() {
            guard let label = label(of: first, "BEGIN") else {
                throw ParseError(
                    line: lines.number, reason: "a block has to begin here, and nothing else may stand here")
            }
            guard blocks.count < maximumCount else {
                throw ParseError(line: lines.number, reason: "there are more than \(maximumCount) blocks")
            }
            blocks.append(Block(label: label, content: try content(until: label, &lines)))
        }
        return blocks
    }

    private static func content(until label: String, _ lines: inout Lines) throws(ParseError) -> [UInt8] {
        var base64: [UInt8] = []
        var isLast = false
        while let line = lines.next() {
            if line.first == UInt8(ascii: "-") {
                guard self.label(of: line, "END") == label else {
                    throw ParseError(line: lines.number, reason: "the block \(label) does not end as it began")
                }
                guard !base64.isEmpty, let content = Base64.decode(String(decoding: base64, as: UTF8.self)) else {
                    throw ParseError(line: lines.number, reason: "the block \(label) is not base64 in its one spelling")
                }
                return content
            }
            guard !isLast, (1...64).contains(line.count) else {
                throw ParseError(line: lines.number, reason: "every line but a block's last has 64 characters")
            }
            isLast = line.count < 64
            base64 += line
        }
        throw ParseError(line: lines.number, reason: "the block \(label) has no end")
    }

    /// The label in a mark: upper-case letters, digits and single spaces between them.
    private static func label(of line: ArraySlice<UInt8>, _ word: String) -> String? {
        let head = "-----\(word) ".utf8, tail = "-----".utf8
        guard line.count > head.count + tail.count, line.starts(with: head), line.suffix(tail.count).elementsEqual(tail)
        else { return nil }
        let label = line.dropFirst(head.count).dropLast(tail.count)
        let words = label.split(separator: 0x20, omittingEmptySubsequences: false)
        guard label.count <= 64, words.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isLabelCharacter) }) else {
            return nil
        }
        return String(decoding: label, as: UTF8.self)
    }

    private static func isLabelCharacter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
    }

    /// The lines of a text without their ends.
    private struct Lines {
        var rest: ArraySlice<UInt8>
        var number = 0

        mutating func next() -> ArraySlice<UInt8>? {
            guard !rest.isEmpty else { return nil }
            number += 1
            let end = rest.firstIndex(of: 0x0A) ?? rest.endIndex
            var line = rest[..<end]
            rest = end == rest.endIndex ? [] : rest[(end + 1)...]
            if line.last == 0x0D { line = line.dropLast() }
            return line
        }
    }
}

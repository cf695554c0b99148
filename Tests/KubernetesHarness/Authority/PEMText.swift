import Foundation

/// PEM blocks (RFC 7468), read as leniently as Go's `encoding/pem` reads them.
package enum PEMText {
    /// One block.
    package struct Block: Sendable, Hashable {
        /// What stands between `BEGIN` and the dashes.
        package let label: String
        /// The decoded content.
        package let bytes: [UInt8]
    }

    /// A block's text, in lines of 64 characters.
    package static func encode(_ label: String, _ bytes: [UInt8]) -> String {
        let text = Data(bytes).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return "-----BEGIN \(label)-----\n\(text)\n-----END \(label)-----\n"
    }

    /// The first block of a text; `nil` when there is none. What stands before it is passed over, and so is what follows.
    package static func first(in text: [UInt8]) -> Block? {
        let text = String(decoding: text, as: UTF8.self)
        var rest = text[...]
        while let begin = rest.range(of: "-----BEGIN ") {
            rest = rest[begin.upperBound...]
            guard let dashes = rest.range(of: "-----"),
                let end = rest.range(of: "-----END \(rest[..<dashes.lowerBound])-----")
            else { continue }
            let label = String(rest[..<dashes.lowerBound])
            guard !label.contains("\n"), dashes.upperBound <= end.lowerBound else { continue }
            let content = rest[dashes.upperBound..<end.lowerBound].filter { !$0.isWhitespace }
            guard let data = Data(base64Encoded: String(content)) else { continue }
            return Block(label: label, bytes: Array(data))
        }
        return nil
    }
}

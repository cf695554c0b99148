package import Yams

/// The one YAML document of a policy file, whatever it is a policy of.
package enum PolicyDocument {
    /// Reads it. What stands twice, and what is repeated by an anchor, is an error.
    package static func compose(_ text: String) throws(PolicyError) -> Node {
        if let line = lineOfAnchor(text) {
            throw PolicyError(
                "", line: line, "has an anchor (&); a policy repeats no nodes: write the value where it belongs")
        }
        do {
            guard let node = try Yams.compose(yaml: text) else { throw PolicyError("", "the policy is empty") }
            return node
        } catch let error as PolicyError {
            throw error
        } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
            throw PolicyError(duplicates.first ?? "", line: context.mark.line, "stands twice")
        } catch let error as YamlError {
            throw PolicyError("", line: line(of: error), "the policy is not YAML that can be read in one way: \(error)")
        } catch {
            throw PolicyError("", "the policy is not YAML that can be read in one way: \(error)")
        }
    }

    /// The line of the first anchor, from 1: an ampersand where a node can begin, and a name right after it.
    ///
    /// Nodes that repeat nodes that repeat nodes take exponential time to compare, and a policy needs none.
    private static func lineOfAnchor(_ text: String) -> Int? {
        var line = 1
        var previous: UInt8 = 0x0A
        var isAfterAmpersand = false
        for byte in text.utf8 {
            let isBlank = byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
            if isAfterAmpersand, !isBlank { return line }
            isAfterAmpersand = byte == 0x26 && !isLetterOrDigit(previous)
            if byte == 0x0A { line += 1 }
            previous = byte
        }
        return nil
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    /// The line of the fault, from 1.
    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: nil
        }
    }
}

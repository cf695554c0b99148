/// A secret's name: `repository/type/tag`, as key-broker clients name resources.
package struct SecretName: Sendable, Hashable, CustomStringConvertible {
    package let repository: String
    package let type: String
    package let tag: String

    /// A name of three parts.
    ///
    /// - Returns: `nil` unless each has 1 to 64 letters, digits, dots, dashes and underscores, and is not made of dots.
    package init?(_ repository: String, _ type: String, _ tag: String) {
        guard [repository, type, tag].allSatisfy(Self.isPart) else { return nil }
        self.repository = repository
        self.type = type
        self.tag = tag
    }

    /// Reads `repository/type/tag`.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3 else { return nil }
        self.init(parts[0], parts[1], parts[2])
    }

    /// The text.
    package var description: String { "\(repository)/\(type)/\(tag)" }

    /// Whether a text can be one of the three parts, or a volume's name.
    package static func isPart(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.contains { $0 != UInt8(ascii: ".") }
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

/// Which secrets: three parts, each of them a part of a name or `*` for any.
package struct SecretPattern: Sendable, Hashable, CustomStringConvertible {
    private let parts: [String]

    /// Reads `default/disk/*`; `nil` for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts.allSatisfy({ $0 == "*" || SecretName.isPart($0) }) else { return nil }
        self.parts = parts
    }

    /// Whether a name is one of these.
    package func matches(_ name: SecretName) -> Bool {
        zip(parts, [name.repository, name.type, name.tag]).allSatisfy { $0 == "*" || $0 == $1 }
    }

    /// The text.
    package var description: String { parts.joined(separator: "/") }
}

public import TPM2

extension Event {
    /// A line for people: the type, and what the data says; hints that no digest covers are in parentheses and called untrusted.
    public func summary(in bank: TPM.AlgorithmID) -> String {
        guard let hint else { return "\(untrustedType)" }
        return binding(in: bank) == .bound ? "\(untrustedType) \(hint)" : "\(untrustedType) (untrusted: \(hint))"
    }

    private var hint: String? {
        if isRuntime { return Self.printable(String(decoding: untrustedData, as: UTF8.self)) }
        switch untrustedContent {
        case .variable(let variable): return Self.printable(variable.name)
        case .separator(let data):
            return data.count == 4 ? data.reversed().reduce("") { $0 + Self.hexadecimal($1) } : "\(data.count) bytes"
        case .action(let text), .firmwareVersion(let text), .text(let text): return Self.printable(text)
        case .grub: return Self.printable(String(decoding: untrustedData.prefix { $0 != 0 }, as: UTF8.self))
        case .tagged(let event): return Self.printable("\(event.tag): \(event.text)")
        case .image(let image): return image.filePath.map(Self.printable)
        case .firmwareBlob(let blob): return blob.description.isEmpty ? nil : Self.printable(blob.description)
        case .partitions, .handoffTables, .startupLocality, .opaque: return nil
        }
    }

    /// At most 120 characters, control characters and line ends replaced: the text goes to terminals and logs.
    public static func printable(_ text: String) -> String {
        "\u{201C}" + clean(text, upTo: 120) + "\u{201D}"
    }

    /// At most so many characters, control characters and line ends replaced.
    public static func clean(_ text: String, upTo count: Int) -> String {
        String(
            text.unicodeScalars.prefix(count).map { scalar -> Character in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                    "\u{FFFD}"
                default: Character(scalar)
                }
            })
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

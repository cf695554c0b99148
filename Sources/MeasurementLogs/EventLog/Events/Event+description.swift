public import TPM2

extension Event {
    /// A line for people: the type, and what the data says; hints that no digest covers are in parentheses and called untrusted.
    public func summary(in bank: TPM.AlgorithmID) -> String {
        guard let hint else { return "\(untrustedType)" }
        return binding(in: bank) == .bound ? "\(untrustedType) \(hint)" : "\(untrustedType) (untrusted: \(hint))"
    }

    private var hint: String? {
        let data = untrustedData
        switch untrustedType {
        case .efiVariableDriverConfig, .efiVariableBoot, .efiVariableBoot2, .efiVariableAuthority:
            return UEFIVariable(parsing: data).map { Self.printable($0.name) }
        case .separator:
            return data.count == 4 ? data.reversed().reduce("") { $0 + Self.hexadecimal($1) } : "\(data.count) bytes"
        case .action, .efiAction, .omitBootDeviceEvents: return Self.printable(String(decoding: data, as: UTF8.self))
        case .sCRTMVersion: return Self.printable(Self.utf16(data))
        case .ipl: return Self.printable(String(decoding: data.prefix { $0 != 0 }, as: UTF8.self))
        case .efiBootServicesApplication, .efiBootServicesDriver, .efiRuntimeServicesDriver:
            return Self.filePath(data).map(Self.printable)
        default: return nil
        }
    }

    /// The file path nodes of the device path in `UEFI_IMAGE_LOAD_EVENT` (§10.2.3), joined.
    private static func filePath(_ data: ArraySlice<UInt8>) -> String? {
        var rest = data.dropFirst(32)
        var path = ""
        while rest.count >= 4 {
            let type = rest[rest.startIndex], subtype = rest[rest.startIndex + 1]
            let length = Int(rest[rest.startIndex + 2]) | Int(rest[rest.startIndex + 3]) << 8
            guard length >= 4, length <= rest.count, type != 0x7F else { break }
            if type == 4, subtype == 4 { path += utf16(rest.prefix(length).dropFirst(4)) }
            rest = rest.dropFirst(length)
        }
        return path.isEmpty ? nil : path
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>) -> String {
        var units: [UInt16] = []
        var rest = bytes
        while let low = rest.popFirst(), let high = rest.popFirst() {
            let unit = UInt16(low) | UInt16(high) << 8
            if unit == 0 { break }
            units.append(unit)
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// At most 120 characters, control characters and line ends replaced: the text goes to terminals and logs.
    static func printable(_ text: String) -> String {
        let clean = text.unicodeScalars.prefix(120).map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                "\u{FFFD}"
            default: Character(scalar)
            }
        }
        return "\u{201C}" + String(clean) + "\u{201D}"
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

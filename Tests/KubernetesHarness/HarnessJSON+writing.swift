import StrictEncoding

extension HarnessJSON {
    /// Compact JSON; members in the order of their names.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(512)
        append(to: &output)
        return output
    }

    /// Compact JSON as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    private func append(to output: inout [UInt8]) {
        switch self {
        case .null: output += "null".utf8
        case .boolean(let value): output += (value ? "true" : "false").utf8
        case .integer(let value): output += String(value).utf8
        case .number(let value): output += String(value).utf8
        case .string(let text): Self.quote(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.append(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, name) in members.keys.sorted().enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.quote(name, to: &output)
                output.append(UInt8(ascii: ":"))
                members[name]?.append(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static func quote(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: output += "\\u00".utf8 + Array(Hexadecimal.encode([byte]).utf8)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    /// What becomes of this value by a merge patch (RFC 7386 §2).
    package func merged(with patch: HarnessJSON) -> HarnessJSON {
        guard case .object(let changes) = patch else { return patch }
        var members = self.members
        for (name, change) in changes {
            members[name] = change.isNull ? nil : (members[name] ?? .null).merged(with: change)
        }
        return .object(members)
    }

    /// What becomes of an object by a strategic merge patch that changes conditions: those of the patch's types, and no others. What else
    /// such patches can do is not needed here.
    func mergingConditions(of patch: HarnessJSON) -> HarnessJSON {
        var object = self, conditions = self["status"]?["conditions"]?.elements ?? []
        for change in patch["status"]?["conditions"]?.elements ?? [] {
            if let index = conditions.firstIndex(where: { $0["type"]?.string == change["type"]?.string }) {
                conditions[index] = conditions[index].merged(with: change)
            } else {
                conditions.append(change)
            }
        }
        object["status", "conditions"] = .array(conditions)
        return object
    }
}

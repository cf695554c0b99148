internal import Cryptography
public import MeasurementLogs
internal import StrictEncoding
internal import TPM2

/// A first policy, written from what one good machine measured.
///
/// The machine is taken at its word: boot it from media that you trust before you draft from it. The text is meant to be read and changed.
public enum PolicyText {
    /// What the policy names.
    public enum Style: String, Sendable, CaseIterable {
        /// Components, which stay the same when another part of the machine is updated.
        case components
        /// PCR values, which any update changes.
        case values
    }

    /// Writes a policy that the boot of this log meets.
    ///
    /// - Parameters:
    ///   - id: The policy's identifier.
    ///   - pcrs: The PCRs to quote; those without an event are left out.
    public static func draft(
        _ replay: ReplayedEventLog, id: String, style: Style, pcrs: [Int] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14]
    ) -> String {
        let boot = MeasuredBoot(replay)
        let runtime = replay.log.runtime == nil ? "" : "runtime_log: required\n"
        let quoted = pcrs.filter { replay.eventCount(ofPCR: $0) > 0 }
        var text = """
            # Drafted from the log of one machine. Read it, and try it with `carnet policy rehearse` before you activate it.
            # Files that run (IMA) are not drafted: the guide for operators says what `ima` and PCR 10 are for.
            version: 1
            id: \(id)
            event_log: required
            \(runtime)banks:
              \(replay.bank):

            """
        for pcr in quoted {
            let value = style == .values ? Hexadecimal.encode(replay.value(ofPCR: pcr)) : "ignore"
            text += "    \(pcr): \(value)   # \(PCRCheck.role(pcr))\n"
        }
        guard style == .components else { return text }
        if boot.secureBoot != .unknown, quoted.contains(7) {
            text += "boot:\n  secure_boot: \(boot.secureBoot == .enabled ? "required" : "disabled")\n"
        }
        let sections = ComponentClass.allCases.filter { quoted.contains($0.pcr) }
            .compactMap { section($0, BootFindings(boot: boot, now: 0), replay.bank) }
        return sections.isEmpty ? text : text + "components:\n" + sections.joined()
    }

    /// Whether a text may be the identifier of a policy or the name of a template.
    public static func isIdentifier(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(Policy.isIdentifierCharacter)
    }

    private static func section(
        _ kind: ComponentClass, _ findings: BootFindings, _ bank: TPM.AlgorithmID
    ) -> String? {
        let components = findings.components(of: kind)
        guard !components.isEmpty else { return nil }
        var lines: [String] = []
        for component in components {
            let line: String
            if kind.isText {
                guard let text = component.text, !text.isEmpty, text.utf8.count < 255 else { continue }
                line = "      - \(quoted(text))\n"
            } else {
                guard !component.digest.isEmpty else { continue }
                let hash = kind == .authority ? "sha256" : "\(bank)"
                let name = component.hint.map { ", name: \(quoted(String($0.prefix(80))))" } ?? ""
                line = "      - {digest: \"\(hash):\(Hexadecimal.encode(component.digest))\"\(name)}\n"
            }
            if !lines.contains(line) { lines.append(line) }
        }
        guard !lines.isEmpty else { return nil }
        return "  \(kind.rawValue):   # PCR \(kind.pcr)\n    allow:\n" + lines.joined()
    }

    /// A text as a YAML scalar in double quotes, on one line: JSON's way of writing it is one.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

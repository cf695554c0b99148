import Foundation
import Yams

/// A configuration file: one YAML mapping of settings to their values, read strictly.
///
/// A key is known and stands once. A flag is `true` or `false`, a number stands without quotes, a list is a list. There are no anchors, and
/// no nested mappings. Source: YAML 1.2.2, chapters 3 and 7.
package struct SettingsFile: Sendable {
    /// The longest file that is read, in bytes.
    package static let maximumByteCount = 1 << 16
    /// The longest list.
    package static let maximumElementCount = 256

    /// What the file says of one setting.
    package struct Entry: Sendable, Hashable {
        package let texts: [String]
        /// From 1.
        package let line: Int
    }

    package private(set) var entries: [String: Entry] = [:]

    /// Reads a file's text.
    ///
    /// - Parameter path: What it is called in messages.
    /// - Throws: ``ConfigurationError``, with line and key.
    package init(parsing text: String, path: String, settings: [Setting]) throws(ConfigurationError) {
        guard text.utf8.count <= Self.maximumByteCount else {
            throw ConfigurationError(path, "", "has more than \(Self.maximumByteCount) bytes")
        }
        // Nodes know their anchors as long as the parser lives.
        let (parser, document) = try Self.document(text, path)
        defer { withExtendedLifetime(parser) {} }
        // Nothing but remarks: it sets nothing.
        guard let root = document, root.scalar?.string != "" else { return }
        guard let mapping = root.mapping else {
            throw ConfigurationError(Self.place(path, root), "", "is not a mapping of settings to values")
        }
        let known = Dictionary(settings.map { ($0.name, $0) }) { first, _ in first }
        for (key, value) in mapping {
            let place = Self.place(path, key)
            guard let name = key.scalar?.string, key.anchor == nil else {
                throw ConfigurationError(place, "", "a key is a setting's name")
            }
            guard let setting = known[name] else {
                throw .unknown(name, in: place, among: settings.map(\.name))
            }
            // YAML tells "listen" from listen with a tag; a reader does not.
            guard entries[name] == nil else { throw ConfigurationError(place, name, "stands twice") }
            entries[name] = Entry(
                texts: try Self.texts(value, of: setting, at: place), line: key.mark?.line ?? 1)
        }
    }

    private static func texts(
        _ node: Node, of setting: Setting, at place: String
    ) throws(ConfigurationError) -> [String] {
        guard node.anchor == nil else {
            throw ConfigurationError(place, setting.name, "has an anchor (&): write the value where it belongs")
        }
        guard setting.type.shape == .many else { return [try text(node, of: setting, at: place)] }
        guard let sequence = node.sequence else {
            throw ConfigurationError(place, setting.name, "is not a list; write each value on a line after a dash")
        }
        guard sequence.count <= maximumElementCount else {
            throw ConfigurationError(place, setting.name, "has more than \(maximumElementCount) values")
        }
        var texts: [String] = []
        for element in sequence { texts.append(try text(element, of: setting, at: Self.place(element, place))) }
        return texts
    }

    private static func text(_ node: Node, of setting: Setting, at place: String) throws(ConfigurationError) -> String {
        guard let scalar = node.scalar, node.anchor == nil else {
            let what = setting.type.shape == .many ? "has a value that is itself a list" : "is a list or a mapping"
            throw ConfigurationError(place, setting.name, "\(what), and not \(setting.type.article)")
        }
        let isPlain = scalar.style == .plain || scalar.style == .any
        guard !scalar.string.isEmpty, !(isPlain && ["~", "null", "Null", "NULL"].contains(scalar.string)) else {
            throw ConfigurationError(place, setting.name, "has no value; put # before the line to leave it out")
        }
        guard !scalar.string.contains(where: \.isNewline), !scalar.string.utf8.contains(0) else {
            throw ConfigurationError(place, setting.name, "is more than one line")
        }
        let isRight =
            setting.type.shape == .flag
            ? isPlain && ["true", "false"].contains(scalar.string)
            : setting.type.value(scalar.string) != nil && (isPlain || !setting.type.isNumber)
        guard isRight else { throw ConfigurationError(place, setting.name, "is not \(setting.type.expectation)") }
        return scalar.string
    }

    private static func document(
        _ text: String, _ path: String
    ) throws(ConfigurationError) -> (parser: Parser, root: Node?) {
        do {
            let parser = try Parser(yaml: text)
            return (parser, try parser.singleRoot())
        } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
            throw ConfigurationError("\(path):\(context.mark.line)", duplicates.first ?? "", "stands twice")
        } catch let error as YamlError {
            throw ConfigurationError(path + line(of: error), "", "is not YAML that can be read in one way")
        } catch {
            throw ConfigurationError(path, "", "is not YAML that can be read in one way")
        }
    }

    private static func line(of error: YamlError) -> String {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): ":\(mark.line)"
        default: ""
        }
    }

    private static func place(_ path: String, _ node: Node) -> String {
        node.mark.map { "\(path):\($0.line)" } ?? path
    }

    /// The place of an element: its own line in the file of `place`.
    private static func place(_ element: Node, _ place: String) -> String {
        guard let line = element.mark?.line, let colon = place.lastIndex(of: ":") else { return place }
        return "\(place[..<colon]):\(line)"
    }
}

extension SettingType {
    fileprivate var article: String { shape == .flag || isNumber ? expectation : "a text" }
}

package import ArgumentParser
import Foundation

/// A command with settings of which one stands in the place of another, as a key's file and the command that prints it.
package protocol AlternativeSettings: ParsableArguments {
    /// The names of such settings, group by group: who says one goes before whoever says another, as with a single setting.
    static var alternatives: [Set<String>] { get }
}

/// The settings of a command from its command line, the environment and a file: the first of these that says one decides.
///
/// They become the arguments that ArgumentParser reads, so that there is one reader of values, one set of messages, and one declaration of
/// each setting.
package struct Configuration: Sendable {
    /// Who said a setting.
    package enum Origin: Sendable, Hashable {
        case flag
        /// The variable's name.
        case environment(String)
        case file(String, line: Int)

        /// Who goes before whom.
        fileprivate var rank: Int {
            switch self {
            case .flag: 0
            case .environment: 1
            case .file: 2
            }
        }
    }

    /// What the command is parsed from.
    package private(set) var arguments: [String] = []
    /// Who said what is not at its default, by the setting's name.
    package private(set) var origins: [String: Origin] = [:]
    /// The file that was read.
    package let file: String?
    let settings: [Setting]
    let environmentPrefix: String

    /// The configuration of the command that runs.
    @TaskLocal package static var current: Configuration?

    /// Collects the settings.
    ///
    /// - Parameters:
    ///   - all: The command whose settings environment and file may hold; those that `command` does not have are checked, and left out. By
    ///     default they are its own.
    ///   - words: The command's arguments, without its name.
    ///   - environment: Variables by name; those with an empty value count as not set.
    ///   - prefix: What the names of this program's variables begin with.
    /// - Throws: ``ConfigurationError`` for a variable or file that cannot be read.
    package init(
        of command: any ParsableArguments.Type, among all: (any ParsableArguments.Type)? = nil, _ words: [String],
        environment: [String: String], prefix: String
    ) throws(ConfigurationError) {
        let known = Setting.all(of: all ?? command), names = Set(known.map(\.name))
        settings = Setting.all(of: command).filter { names.contains($0.name) }
        environmentPrefix = prefix
        var given = GivenWords(words, settings)
        file = given.file ?? environment[prefix + "CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let variables = try EnvironmentSettings(environment, prefix: prefix, settings: known)
        let entries = try file.map { path throws(ConfigurationError) in
            try ConfigurationFile.read(path, known)
        }?.entries
        var texts: [String: [String]] = [:]
        for setting in settings {
            let name = setting.name
            if given.names.contains(name) {
                origins[name] = .flag
            } else if let said = variables.texts[name] {
                origins[name] = .environment(setting.environmentName(prefix))
                texts[name] = said
            } else if let entry = entries?[name], let file {
                origins[name] = .file(file, line: entry.line)
                texts[name] = entry.texts
            }
        }
        for group in (command as? any AlternativeSettings.Type)?.alternatives ?? [] {
            let first = group.compactMap { origins[$0]?.rank }.min()
            for name in group where origins[name]?.rank != first {
                origins[name] = nil
                texts[name] = nil
            }
        }
        for setting in settings { arguments += texts[setting.name].map(setting.arguments) ?? [] }
        given.removeNegations()
        arguments += given.words
    }

    /// A message about flags, and where those that it names were really said.
    package func located(_ message: String) -> String {
        let places = settings.compactMap { setting -> String? in
            let words = message.split { !($0.isLetter || $0.isNumber || $0 == "-") }
            guard words.contains(where: { $0 == setting.flag }) else { return nil }
            switch origins[setting.name] {
            case .file(let path, let line): return "\(setting.name) is set at \(path):\(line)"
            case .environment(let name): return "\(setting.name) is set by \(name)"
            case .flag, nil: return nil
            }
        }
        return places.isEmpty ? message : "\(message) (\(places.joined(separator: ", ")))"
    }
}

extension Setting {
    /// The arguments that say these values. An equals sign, for a value may begin with a dash.
    fileprivate func arguments(_ texts: [String]) -> [String] {
        type.shape == .flag ? (texts == ["true"] ? [flag] : []) : texts.map { "\(flag)=\($0)" }
    }
}

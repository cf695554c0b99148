package import ArgumentParser

/// The settings as they are after all who say some were heard. Secrets are not in it.
package struct ConfigurationReport: Encodable, Sendable {
    /// A value as it may be shown.
    package enum Value: Sendable, Hashable, Encodable {
        case nothing, flag(Bool), number(Int64), text(String), list([String])
        /// There is one, and it is not shown.
        case secret

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .nothing, .secret: try container.encodeNil()
            case .flag(let isTrue): try container.encode(isTrue)
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            case .list(let texts): try container.encode(texts)
            }
        }
    }

    /// One setting.
    package struct Line: Encodable, Sendable {
        package let name: String
        package let environment: String
        package let value: Value
        /// Whether the value is not shown, or not as it was said.
        package let secret: Bool
        /// `flag`, `environment`, `file` or `default`.
        package let from: String
        /// The variable, or file and line.
        package let place: String?
    }

    /// The file that was read.
    package let file: String?
    package let settings: [Line]

    /// The report on a command that was parsed from `configuration`.
    package init(on command: any ParsableArguments, _ configuration: Configuration) {
        let values = Setting.values(of: command)
        file = configuration.file
        settings = configuration.settings.map { setting in
            let value = values[setting.name].map(Self.value) ?? (.nothing, false)
            let from: String
            var place: String?
            switch configuration.origins[setting.name] {
            case .flag: from = "flag"
            case .environment(let name): (from, place) = ("environment", name)
            case .file(let path, let line): (from, place) = ("file", "\(path):\(line)")
            case nil: from = "default"
            }
            return Line(
                name: setting.name, environment: setting.environmentName(configuration.environmentPrefix),
                value: value.shown, secret: value.isSecret, from: from, place: place)
        }
    }

    /// Prints it as a table: setting, value, and who said so.
    package func printTable() {
        Output.table(
            headings: ["SETTING", "VALUE", "FROM"],
            settings.map { [$0.name, $0.value.text, $0.place ?? $0.from] })
    }

    private static func value(_ value: Any) -> (shown: Value, isSecret: Bool) {
        switch value {
        case let flag as Bool: return (.flag(flag), false)
        case let number as any FixedWidthInteger: return (.number(Int64(clamping: number)), false)
        case let concealed as any ConcealedSetting:
            return (concealed.harmlessText.map(Value.text) ?? .secret, concealed.holdsSecret)
        case let text as any ExpressibleByArgument: return (.text(text.defaultValueDescription), false)
        case let list as [any ExpressibleByArgument]: return (.list(list.map(\.defaultValueDescription)), false)
        default: return (.nothing, false)
        }
    }
}

extension ConfigurationReport.Value {
    /// For a table.
    fileprivate var text: String {
        switch self {
        case .nothing: "-"
        case .flag(let isTrue): isTrue ? "true" : "false"
        case .number(let number): String(number)
        case .text(let text): text
        case .list(let texts): texts.joined(separator: " ")
        case .secret: "(secret)"
        }
    }
}

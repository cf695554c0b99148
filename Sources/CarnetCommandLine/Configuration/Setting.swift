package import ArgumentParser

/// One setting of a command. Its declaration is the command's `@Option` or `@Flag`: from the property's name come the flag, the key in
/// the file and the variable of the environment, from its type what may be said.
package struct Setting: Sendable {
    /// The key in the file; the flag is two dashes and the same.
    package let name: String
    package let type: SettingType

    package var flag: String { "--" + name }

    /// The variable of the environment, as `CARNET_VERIFIER_TOKEN_LIFETIME`.
    package func environmentName(_ prefix: String) -> String {
        prefix + name.uppercased().replacing("-", with: "_")
    }

    /// Every setting of a command, in the order of its declarations, those of its option groups among them.
    package static func all(of command: any ParsableArguments.Type) -> [Setting] {
        var settings: [Setting] = []
        for child in Mirror(reflecting: command.init()).children {
            if let group = child.value as? any SettingGroup {
                guard !(group.groupType is any CommandLineOnly.Type) else { continue }
                settings += all(of: group.groupType)
            } else if let property = child.value as? any SettingProperty, let type = property.settingType,
                let label = child.label
            {
                settings.append(Setting(name: name(ofProperty: label), type: type))
            }
        }
        return settings
    }

    /// The values of every setting of a command that was parsed, by their names.
    static func values(of command: any ParsableArguments) -> [String: Any] {
        var values: [String: Any] = [:]
        for child in Mirror(reflecting: command).children {
            if let group = child.value as? any SettingGroup {
                guard !(group.groupType is any CommandLineOnly.Type) else { continue }
                values.merge(Self.values(of: group.groupValue)) { $1 }
            } else if let property = child.value as? any SettingProperty, property.settingType != nil,
                let label = child.label
            {
                values[name(ofProperty: label)] = property.settingValue
            }
        }
        return values
    }

    /// `_tokenLifetime` is `token-lifetime` and `_plainHTTP` is `plain-http`, as ArgumentParser names their flags.
    private static func name(ofProperty label: String) -> String {
        let letters = Array(label.drop { $0 == "_" })
        var name = ""
        for (index, letter) in letters.enumerated() {
            let isAfterSmall = index > 0 && !letters[index - 1].isUppercase
            let isBeforeSmall = index > 0 && index + 1 < letters.count && letters[index + 1].isLowercase
            if letter.isUppercase, isAfterSmall || isBeforeSmall { name += "-" }
            name += letter.lowercased()
        }
        return name
    }
}

package import ArgumentParser

/// A property of a command that a file and the environment can set as well: every `@Option` and every `@Flag` that is a Boolean.
protocol SettingProperty {
    var settingType: SettingType? { get }
    /// The value after parsing.
    var settingValue: Any { get }
}

extension Option: SettingProperty {
    var settingType: SettingType? { SettingType(Value.self) }
    var settingValue: Any { wrappedValue }
}

extension Flag: SettingProperty {
    var settingType: SettingType? { Value.self == Bool.self ? .flag : nil }
    var settingValue: Any { wrappedValue }
}

/// Several such properties.
protocol SettingGroup {
    var groupType: any ParsableArguments.Type { get }
    var groupValue: any ParsableArguments { get }
}

extension OptionGroup: SettingGroup {
    var groupType: any ParsableArguments.Type { Value.self }
    var groupValue: any ParsableArguments { wrappedValue }
}

/// Options that are no settings: they say what to do, and only the command line does.
package protocol CommandLineOnly: ParsableArguments {}

/// A setting that may hold a secret.
package protocol ConcealedSetting: ExpressibleByArgument {
    /// What may be shown of it; `nil` for nothing.
    var harmlessText: String? { get }
    /// Whether it holds a secret.
    var holdsSecret: Bool { get }
}

import ArgumentParser

/// What a setting holds, as its option or flag declares it.
package struct SettingType: Sendable {
    /// How often it may be said.
    package enum Shape: Sendable, Hashable {
        /// True or false: a flag.
        case flag
        /// One value, or none.
        case one
        /// Any number of values.
        case many
    }

    package let shape: Shape
    /// The type of one value; a flag's is not asked.
    private let element: any ExpressibleByArgument.Type

    static let flag = SettingType(shape: .flag, element: String.self)

    /// The type of an option; `nil` for one that a configuration file cannot hold.
    init?(_ type: Any.Type) {
        if let type = type as? any WrappingOne.Type {
            self.init(.one, type.wrapped)
        } else if let type = type as? any WrappingMany.Type {
            self.init(.many, type.wrapped)
        } else {
            self.init(.one, type)
        }
    }

    private init?(_ shape: Shape, _ type: Any.Type) {
        guard let type = type as? any ExpressibleByArgument.Type else { return nil }
        self.init(shape: shape, element: type)
    }

    private init(shape: Shape, element: any ExpressibleByArgument.Type) {
        self.shape = shape
        self.element = element
    }

    /// Whether it holds whole numbers, which a file writes without quotes.
    package var isNumber: Bool { element is any FixedWidthInteger.Type }

    /// One value; `nil` for a text that does not say one.
    func value(_ text: String) -> (any ExpressibleByArgument)? { element.init(argument: text) }

    /// What a text has to be, after "is not".
    package var expectation: String {
        if shape == .flag { return "true or false" }
        if isNumber { return "a whole number" }
        let words = element.allValueStrings
        return words.isEmpty ? "a value that it can have" : "one of " + words.joined(separator: ", ")
    }
}

private protocol WrappingOne { static var wrapped: Any.Type { get } }
private protocol WrappingMany { static var wrapped: Any.Type { get } }
extension Optional: WrappingOne { fileprivate static var wrapped: Any.Type { Wrapped.self } }
extension Array: WrappingMany { fileprivate static var wrapped: Any.Type { Element.self } }

/// A value of a JSON text that was read strictly, whichever of the two readers read it: ``JSONNode`` or ``IndexedJSON/Node``.
///
/// Reading a value as what it is not gives `nil`.
public protocol JSONReadable: Sendable {
    /// The value of an object's member; `nil` when there is none, or when this is not an object.
    subscript(_ member: String) -> Self? { get }
    /// An object's members in the order of the text.
    var members: [(name: String, value: Self)]? { get }
    /// An array's elements.
    var elements: [Self]? { get }
    /// How many members an object or elements an array has; 0 for anything else.
    var count: Int { get }
    /// The text of a string.
    var string: String? { get }
    /// A number written without fraction and exponent; `nil` for 1.0 and 1e3.
    var integer: Int64? { get }
    /// Any number.
    var number: Double? { get }
    /// True or false.
    var boolean: Bool? { get }
    /// Whether this is null.
    var isNull: Bool { get }
    /// Whether this is an object.
    var isObject: Bool { get }
    /// Whether this is an array.
    var isArray: Bool { get }
    /// Whether this is a string.
    var isString: Bool { get }
    /// What this is, in a word for an error message: object, array, string, integer, number, boolean or null.
    var kind: String { get }
    /// Whether this is a string of exactly these bytes, however Unicode would compare them.
    func isString(equalTo text: String) -> Bool
    /// Calls `body` with a string's UTF-8 bytes, without copying them; `nil` for anything but a string.
    func withStringBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result?
}

extension JSONNode: JSONReadable {}
extension IndexedJSON.Node: JSONReadable {}

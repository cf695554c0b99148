extension IndexedJSON {
    /// A value inside an ``IndexedJSON``, which it keeps alive. Reading one as what it is not gives `nil`.
    public struct Node: Sendable {
        let storage: Storage
        let index: Int

        private var entry: Entry { storage.entries[index] }

        private func inside(_ index: Int) -> Node { Node(storage: storage, index: index) }

        /// The value of an object's member; `nil` when there is none, or when this is not an object.
        public subscript(_ member: String) -> Node? {
            let entry = entry
            guard entry.kind == .object else { return nil }
            var member = member
            return member.withUTF8 { name in
                var place = index + 1
                while place < Int(entry.next) {
                    if storage.string(at: place, equals: name) { return inside(place + 1) }
                    place = Int(storage.entries[place + 1].next)
                }
                return nil
            }
        }

        /// Whether an object has a member whose name begins with these bytes.
        public func hasMember(prefix: String) -> Bool {
            let entry = entry
            guard entry.kind == .object else { return false }
            var prefix = prefix
            return prefix.withUTF8 { prefix in
                var place = index + 1
                while place < Int(entry.next) {
                    if storage.string(at: place, beginsWith: prefix) { return true }
                    place = Int(storage.entries[place + 1].next)
                }
                return false
            }
        }

        /// An object's members in the order of the text.
        public var members: [(name: String, value: Node)]? {
            let entry = entry
            guard entry.kind == .object else { return nil }
            var members: [(name: String, value: Node)] = []
            members.reserveCapacity(count)
            var place = index + 1
            while place < Int(entry.next) {
                members.append((inside(place).string ?? "", inside(place + 1)))
                place = Int(storage.entries[place + 1].next)
            }
            return members
        }

        /// An array's elements.
        public var elements: [Node]? {
            let entry = entry
            guard entry.kind == .array else { return nil }
            var elements: [Node] = []
            elements.reserveCapacity(count)
            var place = index + 1
            while place < Int(entry.next) {
                elements.append(inside(place))
                place = Int(storage.entries[place].next)
            }
            return elements
        }

        /// How many members an object or elements an array has; 0 for anything else.
        public var count: Int { entry.kind == .object || entry.kind == .array ? Int(entry.content) : 0 }

        /// The text of a string.
        public var string: String? { withStringBytes { String(decoding: $0, as: UTF8.self) } }

        /// Calls `body` with a string's UTF-8 bytes, without copying them; `nil` for anything but a string.
        public func withStringBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
            let entry = entry
            guard entry.kind == .string else { return nil }
            return storage.bytes.withUnsafeBytes { bytes in
                body(UnsafeRawBufferPointer(rebasing: bytes[entry.offset..<(entry.offset + entry.byteCount)]))
            }
        }

        /// Whether this is a string of exactly these bytes, code point by code point (RFC 7519 §7.3).
        public func isString(equalTo text: String) -> Bool {
            guard entry.kind == .string else { return false }
            var text = text
            return text.withUTF8 { storage.string(at: index, equals: $0) }
        }

        /// A number written without fraction and exponent; `nil` for 1.0 and 1e3.
        public var integer: Int64? { entry.kind == .integer ? Int64(bitPattern: entry.content) : nil }

        /// Any number.
        public var number: Double? {
            switch entry.kind {
            case .integer: Double(Int64(bitPattern: entry.content))
            case .real: Double(bitPattern: entry.content)
            default: nil
            }
        }

        /// True or false.
        public var boolean: Bool? {
            switch entry.kind {
            case .true: true
            case .false: false
            default: nil
            }
        }

        /// Whether this is null.
        public var isNull: Bool { entry.kind == .null }
        /// Whether this is an object.
        public var isObject: Bool { entry.kind == .object }
        /// Whether this is an array.
        public var isArray: Bool { entry.kind == .array }
        /// Whether this is a string.
        public var isString: Bool { entry.kind == .string }
        /// What this is, in a word for an error message: object, array, string, integer, number, boolean or null.
        public var kind: String {
            switch entry.kind {
            case .object: "object"
            case .array: "array"
            case .string: "string"
            case .integer: "integer"
            case .real: "number"
            case .true, .false: "boolean"
            case .null: "null"
            }
        }
    }
}

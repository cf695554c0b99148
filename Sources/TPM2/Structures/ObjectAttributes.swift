extension TPM {
    /// `TPMA_OBJECT` (Part 2 §8.3): what a key may do, and whether it can leave its TPM.
    public struct ObjectAttributes: OptionSet, Sendable, Hashable, CustomStringConvertible {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let fixedTPM = Self(rawValue: 0x2)
        public static let stClear = Self(rawValue: 0x4)
        public static let fixedParent = Self(rawValue: 0x10)
        public static let sensitiveDataOrigin = Self(rawValue: 0x20)
        public static let userWithAuth = Self(rawValue: 0x40)
        public static let adminWithPolicy = Self(rawValue: 0x80)
        public static let noDA = Self(rawValue: 0x400)
        public static let encryptedDuplication = Self(rawValue: 0x800)
        public static let restricted = Self(rawValue: 0x10000)
        public static let decrypt = Self(rawValue: 0x20000)
        public static let sign = Self(rawValue: 0x40000)

        /// The names of the set attributes, as the specification spells them, and any other bits in hexadecimal.
        public var description: String {
            var names = Self.names.filter { contains($0.0) }.map(\.1)
            let other = Self.names.reduce(self) { $0.subtracting($1.0) }
            if !other.isEmpty { names.append("0x" + String(other.rawValue, radix: 16)) }
            return names.isEmpty ? "none" : names.joined(separator: ", ")
        }

        private static let names: [(Self, String)] = [
            (.fixedTPM, "fixedTPM"), (.stClear, "stClear"), (.fixedParent, "fixedParent"),
            (.sensitiveDataOrigin, "sensitiveDataOrigin"), (.userWithAuth, "userWithAuth"),
            (.adminWithPolicy, "adminWithPolicy"), (.noDA, "noDA"), (.encryptedDuplication, "encryptedDuplication"),
            (.restricted, "restricted"), (.decrypt, "decrypt"), (.sign, "sign"),
        ]
    }
}

extension TPM {
    /// Why bytes are not the structure that they should be.
    public enum ParseError: Error, Hashable, CustomStringConvertible {
        /// A field runs past the end.
        case truncated(field: String)
        /// So many bytes are left over after the structure.
        case trailingBytes(Int)
        /// A field has a value that the structure does not allow.
        case invalid(field: String, reason: String)
        /// A well-formed choice (algorithm, type) that Carnet does not read.
        case unsupported(field: String, value: UInt32)

        /// A sentence that names the field.
        public var description: String {
            switch self {
            case .truncated(let field): "\(field) runs past the end of the structure"
            case .trailingBytes(let count): "\(count) bytes are left over after the structure"
            case .invalid(let field, let reason): "\(field) \(reason)"
            case .unsupported(let field, let value):
                "\(field) has the value 0x\(String(value, radix: 16)), which is not supported"
            }
        }
    }
}

/// base64url without padding (RFC 4648 §5 as RFC 7515 §2 uses it).
///
/// Reading accepts one spelling of each byte string: no padding, no white space, no other alphabet, and zero in the bits
/// of the last character that carry nothing. Two different texts never decode to the same bytes.
public enum Base64URL {
    /// The text of `bytes`.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        let count = encodedCount(bytes.count)
        return String(unsafeUninitializedCapacity: count) { output in
            _ =
                bytes.withContiguousStorageIfAvailable { encode($0, into: output) }
                ?? Array(bytes).withUnsafeBufferPointer { encode($0, into: output) }
            return count
        }
    }

    /// Appends the text of `bytes`, in ASCII, to `output`.
    public static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        let start = output.count
        let count = encodedCount(bytes.count)
        output.append(contentsOf: repeatElement(0, count: count))
        output.withUnsafeMutableBufferPointer { buffer in
            bytes.withUnsafeBufferPointer { encode($0, into: UnsafeMutableBufferPointer(rebasing: buffer[start...])) }
        }
    }

    /// The bytes that `text` spells, or `nil` when it is not the one spelling of any bytes.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var text = String(text)
        return text.withUTF8 { decode(UnsafeRawBufferPointer($0)) }
    }

    /// The bytes that the ASCII characters in `ascii` spell, or `nil`.
    public static func decode(_ ascii: ArraySlice<UInt8>) -> [UInt8]? { ascii.withUnsafeBytes { decode($0) } }

    /// The bytes that the ASCII characters in `ascii` spell, or `nil`.
    public static func decode(_ ascii: UnsafeRawBufferPointer) -> [UInt8]? {
        let tail = ascii.count % 4
        guard tail != 1 else { return nil }
        let count = ascii.count / 4 * 3 + (tail == 0 ? 0 : tail - 1)
        var valid = true
        let output = [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
            valid = decode(ascii, into: output)
            initialized = valid ? count : 0
        }
        return valid ? output : nil
    }

    private static func encodedCount(_ count: Int) -> Int { count / 3 * 4 + [0, 2, 3][count % 3] }

    private static func encode(_ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) {
        alphabet.withUnsafeBufferPointer { alphabet in
            var read = 0
            var write = 0
            while read + 2 < input.count {
                let group = UInt32(input[read]) << 16 | UInt32(input[read + 1]) << 8 | UInt32(input[read + 2])
                output[write] = alphabet[Int(group >> 18)]
                output[write + 1] = alphabet[Int(group >> 12 & 63)]
                output[write + 2] = alphabet[Int(group >> 6 & 63)]
                output[write + 3] = alphabet[Int(group & 63)]
                read += 3
                write += 4
            }
            if input.count - read == 1 {
                output[write] = alphabet[Int(input[read] >> 2)]
                output[write + 1] = alphabet[Int(input[read] << 4 & 63)]
            } else if input.count - read == 2 {
                let group = UInt32(input[read]) << 16 | UInt32(input[read + 1]) << 8
                output[write] = alphabet[Int(group >> 18)]
                output[write + 1] = alphabet[Int(group >> 12 & 63)]
                output[write + 2] = alphabet[Int(group >> 6 & 63)]
            }
        }
    }

    private static func decode(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<UInt8>) -> Bool
    {
        values.withUnsafeBufferPointer { values in
            var read = 0
            var write = 0
            var seen: UInt8 = 0
            while read + 3 < input.count {
                let first = values[Int(input[read])], second = values[Int(input[read + 1])]
                let third = values[Int(input[read + 2])], fourth = values[Int(input[read + 3])]
                seen |= first | second | third | fourth
                output[write] = first << 2 | second >> 4
                output[write + 1] = second << 4 | third >> 2
                output[write + 2] = third << 6 | fourth
                read += 4
                write += 3
            }
            let tail = input.count - read
            if tail >= 2 {
                let first = values[Int(input[read])], second = values[Int(input[read + 1])]
                seen |= first | second
                output[write] = first << 2 | second >> 4
                if tail == 2 {
                    if second & 0x0F != 0 { return false }
                } else {
                    let third = values[Int(input[read + 2])]
                    seen |= third
                    output[write + 1] = second << 4 | third >> 2
                    if third & 0x03 != 0 { return false }
                }
            }
            return seen & 0x80 == 0
        }
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The six bits of each character; 0x80 for one that is not in the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0x80, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()
}

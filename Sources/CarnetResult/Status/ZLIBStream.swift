internal import CZlib

/// The ZLIB format (RFC 1950) around DEFLATE (RFC 1951): one whole stream, bounded before any memory is taken for it.
enum ZLIBStream {
    /// Compresses bytes as one stream, as small as zlib makes it.
    static func compress(_ bytes: [UInt8]) throws(StatusListError) -> [UInt8] {
        var count = compressBound(uLong(bytes.count))
        var status = Z_OK
        let output = [UInt8](unsafeUninitializedCapacity: Int(count)) { output, initialized in
            status = bytes.withUnsafeBufferPointer { input in
                compress2(output.baseAddress, &count, input.baseAddress, uLong(input.count), Z_BEST_COMPRESSION)
            }
            initialized = status == Z_OK ? Int(count) : 0
        }
        guard status == Z_OK else { throw StatusListError(.operationFailed, "the list could not be compressed") }
        return output
    }

    /// Decompresses one stream that `bytes` holds and nothing else.
    ///
    /// The stream is run twice: first through a small buffer, which tells its size and stops at the bound, then into memory of just that
    /// size. So a stream that promises a thousand times its length costs no memory at all.
    ///
    /// - Throws: ``StatusListError/Code/tooLarge`` for more than `maximumByteCount`; ``StatusListError/Code/compression`` for a stream
    ///   that is damaged, cut short, wants a dictionary, or is followed by anything.
    static func decompress(_ bytes: [UInt8], upTo maximumByteCount: Int) throws(StatusListError) -> [UInt8] {
        let count: Int
        var window = [UInt8](repeating: 0, count: 32_768)
        switch window.withUnsafeMutableBufferPointer({ run(bytes, through: $0, upTo: maximumByteCount) }) {
        case .complete(let found): count = found
        case .tooLarge:
            throw StatusListError(.tooLarge, "the list inflates to more than \(maximumByteCount) bytes")
        case .trailing(let rest):
            throw StatusListError(.compression, "\(rest) bytes follow the list's ZLIB stream")
        case .damaged: throw StatusListError(.compression, "the list is not one whole ZLIB stream")
        }
        // One byte more than there is: zlib then ends the stream in one call.
        var isWhole = false
        let output = [UInt8](unsafeUninitializedCapacity: count + 1) { output, initialized in
            let output = UnsafeMutableBufferPointer(rebasing: output[..<(count + 1)])
            if case .complete(count) = run(bytes, through: output, upTo: count) { isWhole = true }
            initialized = isWhole ? count : 0
        }
        guard isWhole else { throw StatusListError(.compression, "the list is not one whole ZLIB stream") }
        return output
    }

    private enum Ending {
        case complete(Int)
        case tooLarge
        case trailing(Int)
        case damaged
    }

    /// Inflates `bytes` into `window`, again from its beginning whenever it is full.
    private static func run(
        _ bytes: [UInt8], through window: UnsafeMutableBufferPointer<UInt8>, upTo maximumByteCount: Int
    ) -> Ending {
        guard let inputCount = UInt32(exactly: bytes.count), let windowCount = UInt32(exactly: window.count) else {
            return .tooLarge
        }
        var stream = z_stream()
        guard inflateInit_(&stream, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else { return .damaged }
        defer { inflateEnd(&stream) }
        return bytes.withUnsafeBufferPointer { input in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = inputCount
            var total = 0
            while true {
                stream.next_out = window.baseAddress
                stream.avail_out = windowCount
                let status = inflate(&stream, Z_NO_FLUSH)
                let produced = window.count - Int(stream.avail_out)
                total += produced
                guard total <= maximumByteCount else { return .tooLarge }
                switch status {
                case Z_STREAM_END: return stream.avail_in == 0 ? .complete(total) : .trailing(Int(stream.avail_in))
                case Z_OK where produced > 0: continue
                default: return .damaged
                }
            }
        }
    }
}

import CZlib
@testable import CarnetResult
import CarnetTesting
import StrictEncoding
import Testing

/// Streams that are not one whole list. Each stands in a token that is signed and good otherwise; zlib itself makes the streams.
@Suite("Compressed lists")
struct ZLIBTests {
    private let forge: TokenForge
    private let keySet: JSONWebKeySet

    init() throws {
        forge = try TokenForge()
        keySet = try JSONWebKeySet(parsing: forge.keySet)
    }

    private func read(_ stream: [UInt8], bits: Int = 1) throws -> StatusListToken {
        let list = #"{"bits":\#(bits),"lst":"\#(Base64URL.encode(stream))"}"#
        let token = try forge.token(
            header: forge.statusListHeader, payload: #"{"sub":"urn:x","iat":5,"status_list":\#(list)}"#)
        return try UnverifiedStatusListToken(parsing: token).verified(by: keySet)
    }

    /// One call of zlib's deflate: `windowBits` 8 to 15 for ZLIB, negative for bare DEFLATE, 16 more for gzip.
    private func deflated(_ bytes: [UInt8], windowBits: CInt = 15, dictionary: [UInt8] = []) -> [UInt8] {
        var stream = z_stream()
        let size = CInt(MemoryLayout<z_stream>.size)
        guard deflateInit2_(&stream, 9, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
        else {
            return []
        }
        defer { deflateEnd(&stream) }
        if !dictionary.isEmpty { deflateSetDictionary(&stream, dictionary, uInt(dictionary.count)) }
        var input = bytes, output = [UInt8](repeating: 0, count: bytes.count + 1024)
        return input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = uInt(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = uInt(output.count)
                return deflate(&stream, Z_FINISH) == Z_STREAM_END ? Array(output.prefix(Int(stream.total_out))) : []
            }
        }
    }

    @Test("Any ZLIB stream is read, however it was made")
    func good() throws {
        let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        for windowBits: CInt in 9...15 {
            #expect(try read(deflated(bytes, windowBits: windowBits)).list.bytes == bytes)
        }
        // A stored block, as RFC 1951 §3.2.4 has it.
        #expect(try read([0x78, 0x01, 1, 2, 0, 0xFD, 0xFF, 7, 9, 0, 25, 0, 17]).list.bytes == [7, 9])
    }

    @Test("Whatever follows the stream, and whatever is cut off it, spoils it")
    func exactness() throws {
        let stream = deflated([1, 2, 3, 4])
        for byte in [UInt8(0), 1, 0x78] {
            #expect(throws: StatusListError(.compression, "")) { try read(stream + [byte]) }
        }
        #expect(throws: StatusListError(.compression, "")) { try read(stream + stream) }
        for count in 0..<stream.count {
            #expect(throws: StatusListError(.compression, "")) { try read(Array(stream.prefix(count))) }
        }
        for bit in 0..<(stream.count * 8) {
            var changed = stream
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            // The window's size in the first byte may change without consequence; the content never does.
            #expect((try? read(changed).list.bytes) ?? [1, 2, 3, 4] == [1, 2, 3, 4], "bit \(bit)")
        }
    }

    @Test("gzip, bare DEFLATE and a preset dictionary are other formats")
    func formats() {
        let bytes = [UInt8](repeating: 7, count: 100)
        for windowBits: CInt in [31, -15] {
            #expect(throws: StatusListError(.compression, "")) { try read(deflated(bytes, windowBits: windowBits)) }
        }
        let dictionary = deflated(bytes, dictionary: [7, 7, 7, 7])
        #expect(!dictionary.isEmpty)
        #expect(throws: StatusListError(.compression, "")) { try read(dictionary) }
    }

    @Test(
        "A stream that inflates to more than a list may have is refused at the bound",
        arguments: StatusList.Width.allCases)
    func bomb(width: StatusList.Width) throws {
        let limit = StatusList.maximumCount / width.countPerByte
        let largest = deflated([UInt8](repeating: 0, count: limit))
        #expect(try read(largest, bits: width.rawValue).list.count == StatusList.maximumCount)
        let bomb = deflated([UInt8](repeating: 0, count: limit + 1))
        #expect(throws: StatusListError(.tooLarge, "")) { try read(bomb, bits: width.rawValue) }
    }

    @Test(
        "The bound holds before memory is taken: a stream a byte too long, and one that promises a quarter of a gigabyte"
    )
    func bound() throws {
        let stream = deflated([UInt8](repeating: 7, count: 100))
        #expect(try ZLIBStream.decompress(stream, upTo: 100).count == 100)
        #expect(throws: StatusListError(.tooLarge, "")) { try ZLIBStream.decompress(stream, upTo: 99) }
        let bomb = deflated([UInt8](repeating: 0, count: 1 << 28))
        #expect(bomb.count < 1 << 19)
        #expect(throws: StatusListError(.tooLarge, "")) { try ZLIBStream.decompress(bomb, upTo: 1 << 20) }
    }
}

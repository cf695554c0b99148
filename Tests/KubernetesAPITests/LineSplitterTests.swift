@testable import KubernetesAPI
import Testing

/// How the stream of a watch becomes events.
@Suite("Lines of a watch") struct LineSplitterTests {
    @Test("However a stream is cut, its lines are the same", arguments: 1...9) func cut(size: Int) throws {
        let stream = Array("first\n\nsecond\nthird, without an end".utf8)
        var splitter = LineSplitter(maximumByteCount: 64), lines: [String] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            for line in try splitter.add(stream[start..<min(start + size, stream.count)]) {
                lines.append(String(decoding: line, as: UTF8.self))
            }
        }
        #expect(lines == ["first", "second"])
    }

    @Test("A line that is too long is refused, with an end or without") func long() throws {
        var splitter = LineSplitter(maximumByteCount: 8)
        #expect(try splitter.add(Array("12345678\n".utf8)).count == 1)
        #expect(throws: KubernetesError.self) { try splitter.add(Array("123456789\n".utf8)) }
        var open = LineSplitter(maximumByteCount: 8)
        #expect(throws: KubernetesError.self) { try open.add(Array("123456789".utf8)) }
    }

    @Test("An event that is an error is told as what the server says") func error() {
        let line = Array(
            #"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#.utf8)
        #expect {
            try WatchEvent(parsing: line[...])
        } throws: { error in
            (error as? KubernetesError)?.code == .gone && (error as? KubernetesError)?.reason == "Expired"
        }
        for text in ["", "{}", #"{"type":"ADDED"}"#, #"{"type":"NEW","object":{}}"#, #"{"type":"ADDED","object":1}"#] {
            #expect(throws: KubernetesError.self) { try WatchEvent(parsing: Array(text.utf8)[...]) }
        }
    }
}

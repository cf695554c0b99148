import MeasurementLogs
import Testing

@Suite("Patterns over paths")
struct IMAPathPatternTests {
    @Test(
        "A pattern matches whole names",
        arguments: [
            ("/tmp/a", "/tmp/a", true), ("/tmp/a", "/tmp/ab", false), ("/tmp/a", "x/tmp/a", false),
            ("/tmp/*", "/tmp/a", true), ("/tmp/*", "/tmp/", true), ("/tmp/*", "/tmp/a/b", false),
            ("/tmp/**", "/tmp/a/b", true), ("/tmp/**", "/tmp", false), ("/tmp/**", "/tmp/", true),
            ("/*/a", "/tmp/a", true), ("/*/a", "/tmp/b/a", false), ("/**/a", "/tmp/b/a", true), ("/**/a", "/a", false),
            ("/tmp/?", "/tmp/a", true), ("/tmp/?", "/tmp/", false), ("/tmp?a", "/tmp/a", false), ("?", "ab", false),
            ("/*.so", "/libc.so", true), ("/*.so", "/libc.so.6", false), ("/*.so*", "/libc.so.6", true),
            ("*", "", true), ("**", "a/b", true), ("*", "a/b", false), ("?*", "a", true), ("*?", "", false),
            ("/a[b", "/a[b", true), ("/a[b]", "/ab", false), ("/a.b", "/axb", false), ("/a\\*", "/a\\x", true),
            ("**/x/*", "a/b/x/c", true), ("**/x/*", "a/b/x/c/d", false), ("*/x/**", "a/b/x/c", false),
            ("/é?", "/éx", true), ("/A", "/a", false),
        ])
    func matching(pattern: String, name: String, expected: Bool) throws {
        #expect(try #require(IMAPathPattern(pattern)).matches(name.utf8) == expected)
    }

    @Test("Patterns agree with a plain recursive matcher on random patterns and names")
    func oracle() throws {
        func matches(_ pattern: ArraySlice<Character>, _ name: ArraySlice<Character>) -> Bool {
            guard let first = pattern.first else { return name.isEmpty }
            if first == "*" {
                let isDouble = pattern.dropFirst().first == "*"
                let rest = pattern.dropFirst(isDouble ? 2 : 1)
                if matches(rest, name) { return true }
                guard let next = name.first, isDouble || next != "/" else { return false }
                return matches(pattern, name.dropFirst())
            }
            guard let next = name.first, first == next || (first == "?" && next != "/") else { return false }
            return matches(pattern.dropFirst(), name.dropFirst())
        }
        var generator = SplitMix(state: 7), agreed = 0
        for _ in 0..<20_000 {
            func random(_ alphabet: String, _ count: Int) -> String {
                String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
            }
            let text = random("ab/?**", Int.random(in: 1...8, using: &generator))
            let name = random("ab/", Int.random(in: 0...8, using: &generator))
            guard let pattern = IMAPathPattern(text) else { continue }
            let expected = matches(Array(text)[...], Array(name)[...])
            #expect(pattern.matches(name.utf8) == expected, "\(text) on \(name)")
            agreed += expected ? 1 : 0
        }
        #expect(agreed > 500)
    }

    @Test("Empty, too long and three-starred patterns are refused; long ones work in every place")
    func limits() throws {
        let longest = String(repeating: "a", count: 255)
        #expect(IMAPathPattern("") == nil && IMAPathPattern("a***") == nil && IMAPathPattern("a\0") == nil)
        #expect(IMAPathPattern(longest + "a") == nil)
        let pattern = try #require(IMAPathPattern(longest))
        #expect(pattern.matches(longest.utf8) && !pattern.matches((longest + "a").utf8))
        #expect(!pattern.matches(longest.dropLast().utf8))
    }

    @Test("A pattern of wildcards alone is called unrestricted")
    func unrestricted() throws {
        for text in ["**", "*", "/**", "/*/?"] { #expect(try #require(IMAPathPattern(text)).isUnrestricted) }
        #expect(try !#require(IMAPathPattern("/tmp/**")).isUnrestricted)
    }

    @Test("Many stars on a long name take no longer than one pass")
    func noBacktracking() throws {
        let pattern = try #require(IMAPathPattern(String(repeating: "**a", count: 100) + "b"))
        #expect(!pattern.matches([UInt8](repeating: 0x61, count: 100_000)))
    }
}

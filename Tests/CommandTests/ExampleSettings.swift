import Fixtures
import Foundation
import Testing
import Yams

/// Settings as the repository's examples list them, and as a program prints them.
enum ExampleSettings {
    /// The lines of an example.
    static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The key of a line `key: value`, also of one that is a remark; `nil` for other lines.
    static func key(_ line: String) -> String? {
        let text = line.hasPrefix("# ") ? line.dropFirst(2) : line[...]
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].isEmpty || parts[1].hasPrefix(" ") else { return nil }
        let key = String(parts[0])
        return !key.isEmpty && key.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D } ? key : nil
    }

    /// One setting, as `--print-config --json` tells it.
    struct Line: Decodable {
        let name: String, from: String, value: Value?
    }

    /// A value, as text.
    struct Value: Decodable, Equatable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                text = String(flag)
            } else if let number = try? container.decode(Int64.self) {
                text = String(number)
            } else if let list = try? container.decode([String].self) {
                text = list.joined(separator: " ")
            } else {
                text = try container.decode(String.self)
            }
        }
    }

    private struct Report: Decodable { let settings: [Line] }

    /// What a program would use, by name.
    static func printed(
        by program: Program, _ words: [String], environment: [String: String] = [:]
    ) async throws -> [String: Line] {
        let ending = try await program.run(words + ["--print-config", "--json"], environment: environment)
        #expect(ending.status == 0 && ending.errors.isEmpty, "\(ending)")
        let report = try JSONDecoder().decode(Report.self, from: Data(ending.output))
        return Dictionary(uniqueKeysWithValues: report.settings.map { ($0.name, $0) })
    }

    /// Whether an example has every setting of a program once, and nothing else.
    static func expectWhole(_ name: String, of program: Program, in folder: TemporaryDirectory) async throws {
        let text = try Repository.text("Docs/Examples/" + name)
        let known = try await printed(by: program, ["--config", folder.write(Array(text.utf8), name)])
        #expect(lines(text).compactMap(key).sorted() == known.keys.sorted())
        // A list that is a remark holds what it seems to hold: a comma within an element parts it.
        for line in lines(text) where key(line) != nil && line.hasSuffix("]") {
            guard let start = line.firstIndex(of: "[") else { continue }
            let list = line[start...], seeming = list.dropFirst().dropLast().components(separatedBy: ", ")
            let read = try Yams.compose(yaml: String(list))?.array().count
            #expect(read == (list == "[]" ? 0 : seeming.count), "\(line)")
        }
    }
}

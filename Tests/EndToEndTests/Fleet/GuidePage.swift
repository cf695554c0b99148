import Fixtures
import Foundation

/// A page of the guides whose console lines can be run: `$ ` begins a command, `> ` goes on with it, and what stands below is what it prints.
///
/// In what is printed `…` stands for anything, and on a line of its own for any lines. Other lines may stand between those that are shown.
/// A command that is to end with another exit status than 0 says so behind itself: `# exit status 1`.
struct GuidePage {
    /// A command, and what the page says about it.
    struct Line {
        var command: String
        var printed: [String]

        /// The exit status that the page promises.
        var status: Int32 {
            guard let place = command.range(of: "# exit status ") else { return 0 }
            return Int32(command[place.upperBound...].prefix(1)) ?? 0
        }

        /// The first line of the page that is missing in what was printed.
        func missing(in output: String) -> String? {
            var lines = output.split(separator: "\n").map(String.init)[...]
            for expected in printed where expected != "…" {
                guard let place = lines.firstIndex(where: { Self.matches($0, expected) }) else { return expected }
                lines = lines[(place + 1)...]
            }
            return nil
        }

        private static func matches(_ line: String, _ pattern: String) -> Bool {
            let parts = pattern.components(separatedBy: "…")
            guard let first = parts.first, let last = parts.last, parts.count > 1 else { return line == pattern }
            guard line.hasPrefix(first), line.hasSuffix(last) else { return false }
            var rest = line.dropFirst(first.count)
            for part in parts.dropFirst() where !part.isEmpty {
                guard let place = rest.range(of: part) else { return false }
                rest = rest[place.upperBound...]
            }
            return true
        }
    }

    /// The commands of each section, by the word with which its heading begins.
    let sections: [String: [Line]]

    init(_ path: String) throws {
        var sections: [String: [Line]] = [:], section = "", isConsole = false
        for line in try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") {
                section = line.dropFirst(3).split(separator: " ").first.map(String.init) ?? ""
            } else if line.hasPrefix("```") {
                isConsole = line == "```console"
            } else if isConsole {
                Self.read(String(line), into: &sections[section, default: []])
            }
        }
        self.sections = sections
    }

    private static func read(_ line: String, into lines: inout [Line]) {
        let isContinued = lines.last.map { $0.printed.isEmpty && $0.command.hasSuffix("\\") } ?? false
        if line.hasPrefix("$ ") {
            lines.append(Line(command: String(line.dropFirst(2)), printed: []))
        } else if var last = lines.popLast() {
            if isContinued {
                last.command += "\n" + line
            } else if line.hasPrefix("> "), last.printed.isEmpty {
                last.command += "\n" + line.dropFirst(2)
            } else {
                last.printed.append(line)
            }
            lines.append(last)
        }
    }
}

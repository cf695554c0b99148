import CarnetClient
import CarnetAttester
import CarnetCommandLine
import Foundation
import StrictEncoding

extension OperatorOptions {
    /// The most elements that are asked for at once: with all that each may have, an answer of half the size that is read.
    private static let pageLimit = 400

    /// Reads a list page by page, so that its length costs no memory.
    ///
    /// - Parameters:
    ///   - member: The member of the answer that has the elements.
    ///   - body: Takes the elements of a page: none, when the list is empty.
    func forEachPage(_ path: String, _ member: String, _ body: ([JSONNode]) throws -> Void) async throws {
        try await withConnection { connection in
            var after: String?
            repeat {
                let begin = after.map { "&after=" + Self.queryValue($0) } ?? ""
                let answer = try await Self.send("GET", "\(path)?limit=\(Self.pageLimit)\(begin)", over: connection)
                guard let elements = answer?[member]?.elements else {
                    throw Failure(.unreachable, "The verifier's answer has no \(member).")
                }
                let next = answer?["next"]?.string
                guard next == nil || (next != after && !elements.isEmpty) else {
                    throw Failure(.unreachable, "The verifier's list has no end.")
                }
                try body(elements)
                after = next
            } while after != nil
        }
    }

    /// Prints a list as it comes, as JSON or as a table.
    ///
    /// - Parameters:
    ///   - none: What is said in place of an empty table.
    ///   - read: Makes an entry of an element.
    ///   - cells: The cells of an entry's row.
    func printList<Entry: Encodable>(
        _ path: String, _ member: String, json: Bool, headings: [String], none: String,
        _ read: (JSONNode) -> Entry, _ cells: (Entry) -> [String]
    ) async throws {
        var array = Output.JSONList(), table = Output.Table(headings: headings)
        try await forEachPage(path, member) { elements in
            let entries = elements.map(read)
            if json { try array.add(entries) } else { table.add(entries.map(cells)) }
        }
        if json { array.end() } else if table.isEmpty { Output.line(none) }
    }

    /// A value in a query.
    static func queryValue(_ text: String) -> String {
        let allowed = CharacterSet.urlQueryAllowed.subtracting(CharacterSet(charactersIn: "&+=#?"))
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}

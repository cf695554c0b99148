import Foundation

/// `Docs/openapi.yaml`, as far as tests ask: which operation is which call.
public struct Description: Sendable {
    /// A call by its method and path template, such as `GET /admin/v1/nodes/{id}`, with its `operationId`.
    public let operations: [(call: String, id: String)]

    /// Reads the file of the checkout in which the tests were built.
    public init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "Docs/openapi.yaml"), encoding: .utf8)
        var found: [(String, String)] = []
        var path: Substring?, call: String?
        for line in text.split(separator: "\n") {
            if line.hasPrefix("  /"), line.hasSuffix(":") {
                path = line.dropFirst(2).dropLast()
            } else if !line.hasPrefix("   ") {
                path = nil
            } else if let path,
                let method = ["get", "post", "put", "patch", "delete"].first(where: { line == "    \($0):" })
            {
                call = "\(method.uppercased()) \(path)"
            } else if path != nil, let described = call, line.hasPrefix("      operationId: ") {
                found.append((described, String(line.dropFirst("      operationId: ".count))))
                call = nil
            }
        }
        operations = found
    }
}

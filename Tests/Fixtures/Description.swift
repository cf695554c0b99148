import Foundation

/// `Docs/openapi.yaml`, or the broker's, as far as tests ask: which operation is which call.
public struct Description: Sendable {
    /// A call by its method and path template, such as `GET /admin/v1/nodes/{id}`, with its `operationId`.
    public let operations: [(call: String, id: String)]

    /// Reads the file of the checkout in which the tests were built. A path that another description has is read there.
    public init(of file: String = "openapi.yaml") throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "Docs/" + file), encoding: .utf8)
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
            } else if let same = path, line.hasPrefix("    $ref: \"openapi.yaml#/paths/") {
                let calls = ["GET", "POST", "PUT", "PATCH", "DELETE"].map { "\($0) \(same)" }
                found += try Description().operations.filter { calls.contains($0.call) }
            } else if path != nil, let described = call, line.hasPrefix("      operationId: ") {
                found.append((described, String(line.dropFirst("      operationId: ".count))))
                call = nil
            }
        }
        operations = found
    }
}

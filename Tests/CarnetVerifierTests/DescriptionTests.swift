import CarnetService
import CarnetVerifier
import Foundation
import Testing
import VerifierHarness

@Suite struct DescriptionTests {
    @Test("Docs/openapi.yaml describes the calls that exist, and no other") func openAPI() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "Docs/openapi.yaml"), encoding: .utf8)
        var described: [String] = []
        var path: Substring?
        for line in text.split(separator: "\n") {
            if line.hasPrefix("  /"), line.hasSuffix(":") {
                path = line.dropFirst(2).dropLast()
            } else if !line.hasPrefix("   "), !line.hasPrefix("  /") {
                path = nil
            } else if let path,
                let method = ["get", "post", "put", "patch", "delete"].first(where: { line == "    \($0):" })
            {
                described.append("\(method.uppercased()) \(path)")
            }
        }
        let routes = try await Verifier(VerifierUnderTest { $0.servesMetrics = true }.configuration).routes
        #expect(described.sorted() == routes.map { "\($0.method) \($0.path)" }.sorted())
    }
}

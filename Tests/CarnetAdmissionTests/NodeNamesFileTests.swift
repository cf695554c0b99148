import CarnetAdmission
import CarnetService
import Fixtures
import Testing

/// The file in which an operator says which machine is which node.
@Suite("File of names") struct NodeNamesFileTests {
    @Test("Names and enrolments are read") func good() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            Array("names:\n  node-17: urn:carnet:node:1\n  node-18: urn:carnet:node:2\n".utf8), "n")
        _ = try NodeNamesFile.read(file)
    }

    @Test(
        "What could be read in two ways is refused",
        arguments: [
            "", "names:", "names: []", "names: {}\nmore: 1", "names: {A: urn:x}", "names: {a: urn:x, b: urn:x}",
            "names: {a: urn:x, a: urn:y}", "names: {a: ''}", "names: {a: [x]}", "names: {a: &x urn:x}", "- a",
            "names: {-a: urn:x}",
        ])
    func refused(text: String) throws {
        let folder = try TemporaryDirectory(), file = try folder.write(Array(text.utf8), "n")
        #expect(throws: ServiceStartError.self) { try NodeNamesFile.read(file) }
    }

    @Test("A file that is not there is told of by its name") func absent() {
        #expect(
            throws: ServiceStartError.unreadable(
                "/no/such", "it cannot be read, is empty, or has more than \(NodeNamesFile.maximumByteCount) bytes")
        ) {
            try NodeNamesFile.read("/no/such")
        }
    }
}

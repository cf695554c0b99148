import CarnetStorage
import Testing

@Suite struct SQLTests {
    @Test("An interpolated value becomes a numbered parameter, never text of the statement") func parameters() {
        let name = "x'; DROP TABLE nodes; --"
        let bytes: [UInt8]? = nil
        let statement: SQL = "UPDATE t SET a = \(name), b = \(bytes) WHERE c = \(Int64(7)) OR a = \(name)"
        #expect(statement.text == "UPDATE t SET a = $1, b = $2 WHERE c = $3 OR a = $4")
        #expect(statement.arguments == [.text(name), .null, .integer(7), .text(name)])
    }

    @Test("A statement without values has none") func literal() {
        let statement: SQL = "SELECT 1"
        #expect(statement.text == "SELECT 1")
        #expect(statement.arguments.isEmpty)
    }
}

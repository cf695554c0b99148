import CLibPQ

/// What the server answered to one statement.
struct PostgreSQLAnswer {
    /// The rows; none for a statement that returns none.
    let rows: [SQLRow]
    /// How many rows the statement inserted, changed or deleted.
    let affectedCount: Int
    /// The first word of the command that was run: `COMMIT` for one, `ROLLBACK` where the server did that instead.
    let command: String

    /// Reads a successful result.
    init(reading result: OpaquePointer) throws(PostgreSQLFailure) {
        command =
            PQcmdStatus(result).map { String(cString: $0).split(separator: " ").first.map(String.init) ?? "" } ?? ""
        let changes = ["INSERT", "UPDATE", "DELETE", "MERGE"].contains(command)
        affectedCount = changes ? PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 : 0
        let columns = (0..<PQnfields(result)).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        var rows: [SQLRow] = []
        rows.reserveCapacity(Int(PQntuples(result)))
        for row in 0..<PQntuples(result) {
            var values: [SQLValue] = []
            for column in 0..<PQnfields(result) { values.append(try Self.value(result, row, column)) }
            rows.append(SQLRow(columns: columns, values: values))
        }
        self.rows = rows
    }

    /// One field, in binary. The narrower integers are what the server makes of literals and of LENGTH.
    private static func value(
        _ result: OpaquePointer, _ row: Int32, _ column: Int32
    ) throws(PostgreSQLFailure) -> SQLValue {
        if PQgetisnull(result, row, column) == 1 { return .null }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
        switch (PQftype(result, column), bytes.count) {
        case (20, 8): return .integer(bytes.reduce(0) { $0 << 8 | Int64($1) })
        case (23, 4): return .integer(Int64(bytes.reduce(Int32(0)) { $0 << 8 | Int32($1) }))
        case (21, 2): return .integer(Int64(bytes.reduce(Int16(0)) { $0 << 8 | Int16($1) }))
        case (25, _): return .text(String(decoding: bytes, as: UTF8.self))
        case (17, _): return .bytes([UInt8](bytes))
        case (let type, _):
            throw PostgreSQLFailure(.unexpectedValue, "the answer has a column of PostgreSQL's type number \(type)")
        }
    }
}

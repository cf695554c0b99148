import CLibPQ

/// Why libpq or the server did not do what it was asked.
struct PostgreSQLFailure: Error {
    /// What the caller is told.
    let error: StorageError
    /// The server's SQLSTATE, five characters; `nil` when the failure is the client's, or the connection is lost.
    let state: String?
    /// Whether the connection is of no more use, and whether what was sent last was done is unknown.
    let isLost: Bool

    /// A conflict with another transaction: the same again may succeed. `serialization_failure`, `deadlock_detected`.
    var isConflict: Bool { state == "40001" || state == "40P01" }
    /// A row that another transaction wrote meanwhile, or that was there already: only another look can tell.
    var isDuplicate: Bool { state == "23505" }
    /// A prepared statement that another program's migration outdated: `feature_not_supported`, "cached plan must not change result type".
    var isOutdatedPlan: Bool { state == "0A000" }
    /// `read_only_sql_transaction`: the server became a standby, or was told to refuse writes.
    var isReadOnly: Bool { state == "25006" }

    /// A failure on this side.
    init(_ code: StorageError.Code, _ reason: String, isLost: Bool = false) {
        error = StorageError(code, reason)
        state = nil
        self.isLost = isLost
    }

    /// What a result says. Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes".
    init(result: OpaquePointer?) {
        let state = Self.field(result, "C") ?? ""
        let severity = Self.field(result, "V")
        self.state = state
        isLost = severity == "FATAL" || severity == "PANIC"
        let code: StorageError.Code =
            switch state.prefix(2) {
            case _ where state == "23505": .conflict
            // In a transaction that may not write, and one that the server gave up.
            case "25", "40": .unavailable
            case "22", "23", "42", "0A", "21", "2F", "34", "44", "54": .refused
            default: .unavailable
            }
        error = StorageError(code, Self.reason(state, Self.field(result, "M")))
    }

    /// The server's sentence, without DETAIL, HINT and CONTEXT, which repeat values. In the classes of data errors and of errors
    /// that procedures raise, the sentence itself does.
    private static func reason(_ state: String, _ message: String?) -> String {
        let repeatsValues = ["22", "P0", "XX"].contains { state.hasPrefix($0) }
        return "PostgreSQL \(state)" + (repeatsValues ? "" : ": " + firstLine(message ?? "no message"))
    }

    /// libpq's messages go on with advice on further lines.
    static func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" && $0 != "\r\n" }.prefix(300)) }

    private static func field(_ result: OpaquePointer?, _ code: Unicode.Scalar) -> String? {
        PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
    }
}

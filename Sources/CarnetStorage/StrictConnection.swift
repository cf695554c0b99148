/// A connection that means the same on every engine: text holds no NUL, and a transaction in which a statement failed does
/// nothing more, whether or not its body looks at the error.
///
/// PostgreSQL gives a transaction up at the first error, SQLite goes on. Here both give it up.
final class StrictConnection: SQLConnection {
    private let base: any SQLConnection
    /// The first failure of a statement.
    private(set) var failure: StorageError?

    init(_ base: any SQLConnection) { self.base = base }

    func execute(_ statement: SQL) throws(StorageError) -> Int {
        try attempt(statement) { connection throws(StorageError) in try connection.execute(statement) }
    }

    func rows(_ query: SQL) throws(StorageError) -> [SQLRow] {
        try attempt(query) { connection throws(StorageError) in try connection.rows(query) }
    }

    private func attempt<Answer>(
        _ statement: SQL, _ call: (any SQLConnection) throws(StorageError) -> Answer
    ) throws(StorageError) -> Answer {
        if let failure { throw failure }
        do throws(StorageError) {
            guard !statement.holdsNUL else {
                throw StorageError(.refused, "a statement or a text in it holds the character NUL")
            }
            return try call(base)
        } catch {
            failure = error
            throw error
        }
    }

    /// Runs the body of a transaction.
    ///
    /// - Throws: What `body` throws; the failure of a statement also when `body` did not mind it.
    static func run<Value>(
        _ base: any SQLConnection, _ body: (any SQLConnection) throws -> Value
    ) throws -> Value {
        let connection = StrictConnection(base)
        let value = try body(connection)
        if let failure = connection.failure { throw failure }
        return value
    }
}

extension SQL {
    fileprivate var holdsNUL: Bool {
        text.utf8.contains(0)
            || arguments.contains { argument in
                if case .text(let text) = argument { text.utf8.contains(0) } else { false }
            }
    }
}

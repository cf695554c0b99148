/// A session inside its transaction. It remembers how a statement failed, since a body may throw something else instead.
final class PostgreSQLConnection: SQLConnection {
    private let session: PostgreSQLSession
    private let limit: Double?
    /// The failure that ended the transaction.
    private(set) var failure: PostgreSQLFailure?

    init(_ session: PostgreSQLSession, limit: Double?) {
        self.session = session
        self.limit = limit
    }

    func execute(_ statement: SQL) throws(StorageError) -> Int { try run(statement).affectedCount }

    func rows(_ query: SQL) throws(StorageError) -> [SQLRow] { try run(query).rows }

    private func run(_ statement: SQL) throws(StorageError) -> PostgreSQLAnswer {
        do throws(PostgreSQLFailure) {
            let answer = try session.run(statement, within: limit)
            guard session.isInTransaction else {
                throw PostgreSQLFailure(.refused, "a statement ended the transaction that it is in")
            }
            return answer
        } catch {
            failure = error
            throw error.error
        }
    }
}

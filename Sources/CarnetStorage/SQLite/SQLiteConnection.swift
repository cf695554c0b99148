import Foundation
import GRDB

/// A GRDB connection inside its transaction.
struct SQLiteConnection: SQLConnection {
    let database: Database

    func execute(_ statement: SQL) throws(StorageError) -> Int {
        do {
            // A statement that changes no rows leaves `changesCount` at what the one before it changed.
            let before = database.totalChangesCount
            try database.cachedStatement(sql: statement.text).execute(arguments: arguments(statement))
            return database.totalChangesCount - before
        } catch {
            throw StorageError(describing: error)
        }
    }

    func rows(_ query: SQL) throws(StorageError) -> [SQLRow] {
        do {
            let statement = try database.cachedStatement(sql: query.text)
            let columns = statement.columnNames
            return try Row.fetchAll(statement, arguments: arguments(query)).map { row in
                SQLRow(columns: columns, values: try row.databaseValues.map(SQLValue.init))
            }
        } catch {
            throw StorageError(describing: error)
        }
    }

    private func arguments(_ statement: SQL) -> StatementArguments {
        StatementArguments(statement.arguments.map(\.databaseValue))
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let integer): integer.databaseValue
        case .text(let text): text.databaseValue
        case .bytes(let bytes): Data(bytes).databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) throws(StorageError) {
        self =
            switch value.storage {
            case .null: .null
            case .int64(let integer): .integer(integer)
            case .string(let text): .text(text)
            case .blob(let data): .bytes([UInt8](data))
            case .double: throw StorageError(.unexpectedValue, "the answer holds a number that is no integer")
            }
    }
}

extension StorageError {
    /// SQLite's result code as one of ours. GRDB's own text is left out where it would repeat values.
    init(describing error: any Error) {
        guard let error = error as? DatabaseError else {
            self =
                error as? StorageError
                ?? StorageError(.unavailable, "the database call ended early: \(type(of: error))")
            return
        }
        let reason = "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
        switch (error.resultCode, error.extendedResultCode) {
        case (_, .SQLITE_CONSTRAINT_UNIQUE), (_, .SQLITE_CONSTRAINT_PRIMARYKEY):
            self.init(.conflict, reason)
        case (.SQLITE_CONSTRAINT, _), (.SQLITE_ERROR, _), (.SQLITE_RANGE, _), (.SQLITE_MISMATCH, _),
            (.SQLITE_TOOBIG, _):
            self.init(.refused, reason)
        default:
            self.init(.unavailable, reason)
        }
    }
}

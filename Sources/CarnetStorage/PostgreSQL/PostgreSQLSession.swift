import CLibPQ
import Foundation

/// One connection to the server. It belongs to one thread, which it blocks, but never longer than it was told.
final class PostgreSQLSession {
    private let connection: OpaquePointer
    private var prepared: [Key: String] = [:]
    private let answerLimit: Double
    /// Whether a transaction was run on it before, so that it may have died unnoticed since.
    var wasUsed = false
    /// Whether it must not be used again.
    private(set) var isLost = false

    /// More texts than a program has statements.
    private static let maximumPreparedCount = 512

    private struct Key: Hashable {
        let text: String
        let types: [Oid]
    }

    /// Connects, and makes sure that the server can keep what ``SQLDatabase`` promises.
    init(_ address: PostgreSQLAddress, _ settings: PostgreSQLSettings) throws(PostgreSQLFailure) {
        // The server gives up before this side does, so that what it says is heard.
        answerLimit = settings.statementTimeout + settings.connectTimeout
        let milliseconds = PostgreSQLSettings.milliseconds(answerLimit)
        // What stands before the URI holds where it says nothing; what stands behind it, always.
        let options: [(String, String?)] = [
            ("sslmode", address.defaultSSLMode),
            ("connect_timeout", String(Int(max(2, min(settings.connectTimeout, 3600)).rounded(.up)))),
            ("tcp_user_timeout", milliseconds), ("keepalives_idle", "10"), ("keepalives_interval", "5"),
            ("keepalives_count", "3"), ("fallback_application_name", "carnet"),
            ("dbname", address.uri), ("client_encoding", "UTF8"),
        ].filter { $0.1 != nil }
        let words = options.map { strdup($0.0) } + [nil], values = options.map { $0.1.flatMap { strdup($0) } } + [nil]
        defer { for word in words + values { free(word) } }
        let started = PQconnectdbParams(words.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
        guard let started else { throw PostgreSQLFailure(.unavailable, "libpq has no memory", isLost: true) }
        connection = started
        guard PQstatus(connection) == CONNECTION_OK else {
            throw PostgreSQLFailure(
                .unavailable, "cannot connect to \(address): \(PostgreSQLFailure.firstLine(lastMessage))", isLost: true)
        }
        // Notices go nowhere: some repeat values.
        _ = PQsetNoticeReceiver(connection, { _, _ in }, nil)
        guard PQsetnonblocking(connection, 1) == 0 else { throw lost("libpq cannot stop blocking") }
        try PostgreSQLRequirements.check(self, version: PQserverVersion(connection), settings)
    }

    deinit { PQfinish(connection) }

    /// Whether the server is in a transaction that can go on.
    var isInTransaction: Bool { PQtransactionStatus(connection) == PQTRANS_INTRANS }

    /// Whether the server is in no transaction.
    var isIdle: Bool { PQtransactionStatus(connection) == PQTRANS_IDLE }

    /// Marks the session as of no more use.
    func giveUp() { isLost = true }

    /// Runs one statement.
    ///
    /// - Parameter limit: How many seconds to wait for the answer; afterwards the session is lost.
    @discardableResult
    func run(_ statement: SQL, within limit: Double? = nil) throws(PostgreSQLFailure) -> PostgreSQLAnswer {
        guard !isLost else { throw PostgreSQLFailure(.unavailable, "the connection is lost", isLost: true) }
        let deadline = ContinuousClock.now + .seconds(limit ?? answerLimit)
        let parameters = try PostgreSQLParameters(statement.arguments)
        let key = Key(text: statement.text, types: parameters.types)
        if prepared[key] == nil, prepared.count < Self.maximumPreparedCount {
            let name = "s\(prepared.count)"
            guard PQsendPrepare(connection, name, key.text, Int32(key.types.count), key.types) == 1 else {
                throw lost(lastMessage)
            }
            _ = try answer(by: deadline)
            prepared[key] = name
        }
        let name = prepared[key]
        let isSent = parameters.withValues { count, values, lengths, formats in
            if let name { return PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1) }
            return PQsendQueryParams(connection, key.text, count, key.types, values, lengths, formats, 1)
        }
        guard isSent == 1 else { throw lost(lastMessage) }
        return try answer(by: deadline)
    }

    /// Reads results until the server is ready for the next statement.
    private func answer(by deadline: ContinuousClock.Instant) throws(PostgreSQLFailure) -> PostgreSQLAnswer {
        var outcome: Result<PostgreSQLAnswer, PostgreSQLFailure>?
        while let result = try nextResult(by: deadline) {
            defer { PQclear(result) }
            // After an error nothing that follows changes what is told.
            if case .failure = outcome { continue }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                outcome = Result { () throws(PostgreSQLFailure) in try PostgreSQLAnswer(reading: result) }
            case PGRES_FATAL_ERROR: outcome = .failure(failure(result))
            case PGRES_EMPTY_QUERY:
                outcome = .failure(PostgreSQLFailure(.refused, "a statement without a command"))
            default: throw lost("a statement that copies or streams")
            }
        }
        if PQstatus(connection) != CONNECTION_OK { isLost = true }
        guard let outcome else { throw lost(lastMessage) }
        return try outcome.get()
    }

    private func failure(_ result: OpaquePointer) -> PostgreSQLFailure {
        // Without a SQLSTATE it is libpq that speaks: the server is gone.
        guard PQresultErrorField(result, Int32(UInt8(ascii: "C"))) != nil else { return lost(lastMessage) }
        let failure = PostgreSQLFailure(result: result)
        if failure.isLost { isLost = true }
        return failure
    }

    private func nextResult(by deadline: ContinuousClock.Instant) throws(PostgreSQLFailure) -> OpaquePointer? {
        while true {
            let unsent = PQflush(connection)
            guard unsent >= 0 else { throw lost(lastMessage) }
            if unsent == 0, PQisBusy(connection) == 0 { return PQgetResult(connection) }
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw lost("the server did not answer in time") }
            var waiting = pollfd(
                fd: PQsocket(connection), events: Int16(unsent == 1 ? POLLIN | POLLOUT : POLLIN), revents: 0)
            let milliseconds =
                min(left.components.seconds, 3600) * 1000 + 1 + left.components.attoseconds / 1_000_000_000_000_000
            let ready = poll(&waiting, 1, Int32(clamping: milliseconds))
            guard ready >= 0 || errno == EINTR else { throw lost("the connection cannot be waited for") }
            if ready > 0, Int32(waiting.revents) & ~POLLOUT != 0, PQconsumeInput(connection) == 0 {
                throw lost(lastMessage)
            }
        }
    }

    private func lost(_ reason: String) -> PostgreSQLFailure {
        isLost = true
        return PostgreSQLFailure(
            .unavailable, "PostgreSQL: " + PostgreSQLFailure.firstLine(reason), isLost: true)
    }

    private var lastMessage: String { PQerrorMessage(connection).map { String(cString: $0) } ?? "no message" }
}

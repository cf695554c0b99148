package import CarnetStorage
package import Logging

/// Where a service's records are, and how they are kept.
package struct RecordsSettings: Sendable {
    /// The folder for what must survive a restart.
    package var dataDirectory: String
    /// Where everything that lasts is; `nil` for SQLite in the data directory.
    package var database: DatabaseAddress?
    /// How long a transaction waits for another program's before the database counts as unavailable, in seconds.
    package var databaseTimeout = 5.0
    /// How many connections to PostgreSQL are open at most: 1 to 1000.
    package var databaseConnections = 8
    /// Where the key-encryption key comes from; by default a file in the data directory.
    package var keyEncryptionKey: KeyEncryptionKeySource?
    /// This service's chain in the ledger; by default a random name, made once and kept in the data directory.
    package var ledgerChain: String?
    /// Whether the ledger is taken as the database has it, whatever this service remembers.
    package var acceptsLedger = false
    /// When signing keys take turns.
    package var signingKeys = SigningKeySchedule()
    /// How often the schedule of the signing keys is looked at.
    package var signingKeyInterval = Duration.seconds(60)
    /// How old what is known of the signing keys may be when something is signed.
    package var signingKeyNotice = SigningKeys.noticeInterval
    /// The service's own name, which checkpoints of its ledger state as their issuer.
    package var name: String
    package var clock = WallClock.system
    package var logger: Logger

    /// Settings with what has no default.
    package init(dataDirectory: String, name: String, logger: Logger) {
        self.dataDirectory = dataDirectory
        self.name = name
        self.logger = logger
    }
}

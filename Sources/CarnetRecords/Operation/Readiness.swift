package import CarnetService
package import CarnetStorage

/// Whether the verifier could mint a passport now, and anybody could fetch it: its database takes a write that lasts, it has a key to sign
/// with, and its TLS certificate has not expired.
///
/// Anybody may ask, so one look is under way at a time, all who ask meanwhile wait for it, and what it found is the answer for a few seconds,
/// good or bad.
package actor Readiness {
    private static let interval: Int64 = 2
    private let database: any SQLDatabase
    private let clock: WallClock
    private let certificate: ServerCertificate?
    private let signingKey: @Sendable () async throws -> Void
    private var found: (at: Int64, result: Result<Void, any Error>)?
    private var look: Task<Void, any Error>?

    package init(
        _ database: any SQLDatabase, clock: WallClock, certificate: ServerCertificate?,
        signingKey: @escaping @Sendable () async throws -> Void
    ) {
        self.database = database
        self.certificate = certificate
        self.signingKey = signingKey
        self.clock = clock
    }

    /// - Throws: What a write, or signing, would throw now.
    package func check() async throws {
        let now = clock.now
        // One that soon expires is a matter for the metrics: whoever took this replica out for it would take out all of them.
        if let certificate, certificate.expiresAt < now { throw Unready.certificateExpired }
        if let look { return try await look.value }
        if let found, (found.at...(found.at + Self.interval)).contains(now) { return try found.result.get() }
        let task = Task { [database, signingKey] in
            try await database.write { connection in
                try connection.execute(
                    """
                    INSERT INTO readiness (id, checked_at) VALUES (0, \(now))
                    ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at
                    """)
            }
            try await signingKey()
        }
        look = task
        let result = await task.result
        found = (now, result)
        look = nil
        try result.get()
    }
}

/// Why a verifier is not ready, where no other error says so.
package enum Unready: Error, CustomStringConvertible {
    /// The certificate that it shows has expired.
    case certificateExpired

    package var description: String { "the TLS certificate has expired" }
}

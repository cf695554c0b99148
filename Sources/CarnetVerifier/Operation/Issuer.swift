import CarnetRecords
import CarnetStorage

/// The issuer of a database's tokens, kept beside what it issued. Verifiers that share a database are one issuer: relying parties accept one
/// name, and a replica with another would give out passports that they refuse.
enum Issuer {
    /// Notes the issuer at the first start, and lets no other start later. The ledger tells of a change.
    ///
    /// - Parameter changes: Whether another one is to take its place from now on.
    /// - Returns: The one that it takes the place of, where there was another.
    /// - Throws: ``VerifierConfigurationError/otherIssuer(_:kept:)``.
    static func take(
        _ issuer: String, changing changes: Bool, in ledger: Ledger, at now: Int64
    ) async throws -> String? {
        try await ledger.change(at: now) { connection in
            let kept = try Self.kept(in: connection)
            if !changes { try check(issuer, in: connection) }
            guard kept != issuer else { return .nothing(nil) }
            try connection.execute(
                """
                INSERT INTO issuer (id, name) VALUES (0, \(issuer))
                ON CONFLICT (id) DO UPDATE SET name = excluded.name
                """)
            guard let kept else { return .unremarkable(nil) }
            return .recorded(
                kept,
                .operation(OperatorAction(.issuerChanged, issuer, by: "command-line", details: ["former": kept])))
        }
    }

    /// Checks that a database is of this issuer, or of none yet.
    static func check(_ issuer: String, in connection: any SQLConnection) throws {
        guard let kept = try kept(in: connection), kept != issuer else { return }
        throw VerifierConfigurationError.otherIssuer(issuer, kept: kept)
    }

    private static func kept(in connection: any SQLConnection) throws -> String? {
        try connection.row("SELECT name FROM issuer WHERE id = 0")?.text("name")
    }
}

import CarnetRelyingParty
package import CarnetRecords
import CarnetService
import CarnetStorage
import StrictEncoding

/// Disk keys in escrow: what a machine's TPM wrapped, under the key-encryption key again. Neither the database nor the machine alone opens
/// a disk by it.
package struct EscrowStore: Sendable {
    private let ledger: Ledger
    private let wrapping: KeyEncryptionKey

    init(_ ledger: Ledger, _ wrapping: KeyEncryptionKey) {
        self.ledger = ledger
        self.wrapping = wrapping
    }

    /// The longest blob, in bytes.
    static let maximumBlobByteCount = 4096
    /// The longest recovery message, in bytes.
    static let maximumRecoveryByteCount = 8192
    /// The most volumes of one machine, and the most versions of one volume's key.
    static let maximumVolumeCount = 32
    static let maximumVersionCount: Int64 = 4

    /// What may be told of a volume.
    package struct Record: Sendable, Hashable {
        package let subject: String
        package let volume: String
        /// The versions that are kept, newest first.
        package var versions: [Int64]
        /// Since when there is a key, and when it was given out last, in seconds since 1970.
        package let escrowedAt: Int64
        package let releasedAt: Int64?
        /// To which PCRs the machine says that its own copy is sealed, and since when.
        package let sealedPCRs: String?
        package let sealedAt: Int64?
        /// Whether an operator's key opens a wrap of its own.
        package let isRecoverable: Bool
    }

    /// What a machine hands in.
    struct Deposit: Sendable {
        let volume: String
        let blob: [UInt8]
        let recovery: [UInt8]?
        let sealing: Sealing?
        /// What tells the volume from another of its name, as its UUID; `nil` where the machine does not say.
        let volumeID: String?
        /// Whether it may take another volume's place.
        let replaces: Bool
    }

    /// To which PCRs a copy is sealed, and since when.
    struct Sealing: Sendable, Hashable {
        let pcrs: String
        let sealedAt: Int64
    }

    /// Keeps a key beside the versions before it.
    ///
    /// - Returns: Its version; 1 is a volume's first.
    func store(_ deposit: Deposit, of caller: MachineCaller, now: Int64) async throws -> Int64 {
        let (subject, wrapping, volume) = (caller.subject, wrapping, deposit.volume)
        let tokenID = caller.result.tokenID
        return try await ledger.change(at: now) { connection in
            let known = try connection.row(
                "SELECT last_version, volume_id FROM escrow_volumes WHERE subject = \(subject) AND volume = \(volume)")
            if known == nil {
                let count = try connection.rows("SELECT volume FROM escrow_volumes WHERE subject = \(subject)").count
                guard count < Self.maximumVolumeCount else {
                    throw Problem.full("volumes of this machine", Self.maximumVolumeCount)
                }
            }
            if !deposit.replaces, let other = try known?.optionalText("volume_id"), other != deposit.volumeID {
                throw Problem.conflict(
                    "other-volume", title: "Another volume has this name",
                    "The key of another volume (\(other)) is kept here as \(volume). Give this one another name (--name), or say that it takes the "
                        + "other's place (--replace-escrow).", member: "volume_id")
            }
            let kept = try connection.row(
                "SELECT COUNT(*) AS count FROM escrow WHERE subject = \(subject) AND volume = \(volume)")
            guard try kept?.integer("count") ?? 0 < Self.maximumVersionCount else {
                throw Problem.full("versions of this volume's key", Int(Self.maximumVersionCount))
            }
            try wrapping.requireInForce(in: connection)
            let version = (try known?.integer("last_version") ?? 0) &+ 1
            let wrapped = try wrapping.wrap(deposit.blob, context: Self.context(subject, volume, version))
            // A recovery message is of the key that comes with it, and lives as long: a version that fails takes no other's with it.
            let recovery = try deposit.recovery.map {
                try wrapping.wrap($0, context: Self.recoveryContext(subject, volume, version))
            }
            try connection.execute(
                """
                INSERT INTO escrow
                    (subject, volume, version, nonce, wrapped, recovery_nonce, recovery, stored_at)
                VALUES (\(subject), \(volume), \(version), \(wrapped.nonce), \(wrapped.bytes), \(recovery?.nonce),
                    \(recovery?.bytes), \(now))
                """)
            try connection.execute(
                """
                INSERT INTO escrow_volumes (subject, volume, last_version, escrowed_at, volume_id)
                VALUES (\(subject), \(volume), \(version), \(now), \(deposit.volumeID))
                ON CONFLICT (subject, volume) DO UPDATE SET last_version = excluded.last_version,
                    escrowed_at = excluded.escrowed_at, volume_id = excluded.volume_id
                """)
            if let sealing = deposit.sealing { try Self.note(sealing, subject, volume, connection) }
            let step = EscrowStep(machine: subject, volume: volume, step: "stored", version: version, tokenID: tokenID)
            return .recorded(version, LedgerEvent(step))
        }
    }

    /// Forgets a version that the machine needs no more; never the last.
    ///
    /// - Returns: Whether there was one.
    func drop(_ version: Int64, of volume: String, of caller: MachineCaller, now: Int64) async throws -> Bool {
        let (subject, tokenID) = (caller.subject, caller.result.tokenID)
        return try await ledger.change(at: now) { connection in
            let versions = try Self.versions(subject, volume, connection)
            guard versions.contains(version) else { return .nothing(false) }
            guard versions.count > 1 else {
                throw Problem.conflict(
                    "last-version", title: "The last version",
                    "This is the only version of the volume's key in escrow. Store another first.")
            }
            try connection.execute(
                "DELETE FROM escrow WHERE subject = \(subject) AND volume = \(volume) AND version = \(version)")
            let step = EscrowStep(machine: subject, volume: volume, step: "dropped", version: version, tokenID: tokenID)
            return .recorded(true, LedgerEvent(step))
        }
    }

    /// Notes what a machine says of its own copy: for people's eyes, and nothing is decided by it.
    ///
    /// - Returns: Whether the volume is known.
    func note(_ sealing: Sealing, of volume: String, of caller: MachineCaller, now: Int64) async throws -> Bool {
        let (subject, tokenID) = (caller.subject, caller.result.tokenID)
        return try await ledger.change(at: now) { connection in
            guard try Self.note(sealing, subject, volume, connection) else { return .nothing(false) }
            let version = try Self.versions(subject, volume, connection).first ?? 0
            let step = EscrowStep(machine: subject, volume: volume, step: "sealed", version: version, tokenID: tokenID)
            return .recorded(true, LedgerEvent(step))
        }
    }

    @discardableResult private static func note(
        _ sealing: Sealing, _ subject: String, _ volume: String, _ connection: any SQLConnection
    ) throws -> Bool {
        try connection.execute(
            """
            UPDATE escrow_volumes SET sealed_pcrs = \(sealing.pcrs), sealed_at = \(sealing.sealedAt)
            WHERE subject = \(subject) AND volume = \(volume)
            """) == 1
    }

    /// All versions of a volume's key as one JSON object, newest first, in the transaction of whoever writes down that they are given out.
    func open(
        _ volume: String, of subject: String, in connection: any SQLConnection
    ) throws -> (secret: [UInt8], version: Int64)? {
        let rows = try connection.rows(
            "SELECT * FROM escrow WHERE subject = \(subject) AND volume = \(volume) ORDER BY version DESC")
        guard let newest = try rows.first?.integer("version") else { return nil }
        let versions = try rows.map { row in
            let version = try row.integer("version")
            let wrapped = WrappedKey(nonce: try row.bytes("nonce"), bytes: try row.bytes("wrapped"))
            do {
                return (version, try wrapping.unwrap(wrapped, context: Self.context(subject, volume, version)))
            } catch { throw Self.altered(volume, subject) }
        }
        let text = JSONWriter.object { writer in
            writer.string("volume", volume)
            writer.array("versions") { writer in
                for (version, blob) in versions {
                    writer.object { writer in
                        writer.integer("version", version)
                        writer.base64URL("blob", blob)
                    }
                }
            }
        }
        return (text, newest)
    }

    /// Notes when a volume's key was given out last.
    func noteRelease(
        of volume: String, of subject: String, at now: Int64, in connection: any SQLConnection
    ) throws {
        try connection.execute(
            "UPDATE escrow_volumes SET released_at = \(now) WHERE subject = \(subject) AND volume = \(volume)")
    }

    private static func altered(_ volume: String, _ subject: String) -> Problem {
        .unavailable(
            "The disk key in escrow cannot be opened.", retryAfter: 60,
            cause:
                "the key of \(volume) of \(subject) was altered in the database, or another key-encryption key wrapped it"
        )
    }

    private static func versions(
        _ subject: String, _ volume: String, _ connection: any SQLConnection
    ) throws -> [Int64] {
        try connection.rows(
            "SELECT version FROM escrow WHERE subject = \(subject) AND volume = \(volume) ORDER BY version DESC"
        ).map { try $0.integer("version") }
    }

    /// What a wrapped blob is bound to.
    static func context(_ subject: String, _ volume: String, _ version: Int64) -> String {
        "escrow/\(subject)/\(volume)/\(version)"
    }
    /// What a wrapped recovery message is bound to.
    static func recoveryContext(_ subject: String, _ volume: String, _ version: Int64) -> String {
        "recovery/\(subject)/\(volume)/\(version)"
    }
}

/// What operators do with disk keys in escrow.
extension EscrowStore {
    /// The volumes of one machine, or of all, the next page of them.
    package func list(_ page: PageRequest, of subject: String?) async throws -> Page<Record> {
        let parts = (page.after ?? "").split(separator: " ", maxSplits: 1).map(String.init), count = page.rowCount
        let (afterSubject, afterVolume) = (parts.first ?? "", parts.count == 2 ? parts[1] : "")
        let records = try await ledger.read { connection in
            let rows =
                if let subject {
                    try connection.rows(
                        """
                        SELECT * FROM escrow_volumes WHERE subject = \(subject) AND volume > \(afterVolume)
                        ORDER BY subject, volume LIMIT \(count)
                        """)
                } else {
                    try connection.rows(
                        """
                        SELECT * FROM escrow_volumes WHERE subject > \(afterSubject)
                            OR (subject = \(afterSubject) AND volume > \(afterVolume))
                        ORDER BY subject, volume LIMIT \(count)
                        """)
                }
            return try rows.map { row in
                Record(
                    subject: try row.text("subject"), volume: try row.text("volume"),
                    versions: try Self.versions(row.text("subject"), row.text("volume"), connection),
                    escrowedAt: try row.integer("escrowed_at"), releasedAt: try row.optionalInteger("released_at"),
                    sealedPCRs: try row.optionalText("sealed_pcrs"), sealedAt: try row.optionalInteger("sealed_at"),
                    isRecoverable: try Self.isRecoverable(row.text("subject"), row.text("volume"), connection))
            }
        }
        return Page(records, limit: page.limit) { $0.subject + " " + $0.volume }
    }

    private static func isRecoverable(
        _ subject: String, _ volume: String, _ connection: any SQLConnection
    ) throws -> Bool {
        try connection.row(
            "SELECT 1 FROM escrow WHERE subject = \(subject) AND volume = \(volume) AND recovery IS NOT NULL LIMIT 1")
            != nil
    }

    /// Destroys the keys of a machine, or of one volume of it: the machine is lost.
    ///
    /// - Returns: How many volumes there were.
    package func destroy(
        _ volume: String?, of subject: String, reason: String, by operatorID: String, now: Int64
    ) async throws -> Int {
        try await ledger.change(at: now) { connection in
            let known = try connection.rows("SELECT volume FROM escrow_volumes WHERE subject = \(subject)")
                .map { try $0.text("volume") }.filter { volume == nil || $0 == volume }
            guard !known.isEmpty else { return .nothing(0) }
            for name in known {
                try connection.execute("DELETE FROM escrow WHERE subject = \(subject) AND volume = \(name)")
                try connection.execute("DELETE FROM escrow_volumes WHERE subject = \(subject) AND volume = \(name)")
            }
            return .recorded(
                known.count,
                .operation(
                    OperatorAction(
                        .escrowDestroyed, subject, by: operatorID,
                        details: ["volumes": known.sorted().joined(separator: " "), "reason": reason])))
        }
    }

    /// The wrap of a volume's key that an operator's own key opens; the ledger tells who asked, and why.
    ///
    /// - Returns: `nil` when there is none.
    package func recovery(
        of volume: String, of subject: String, reason: String, by operatorID: String, now: Int64
    ) async throws -> [UInt8]? {
        let wrapping = wrapping
        return try await ledger.change(at: now) { connection in
            let row = try connection.row(
                """
                SELECT * FROM escrow WHERE subject = \(subject) AND volume = \(volume) AND recovery IS NOT NULL
                ORDER BY version DESC LIMIT 1
                """)
            guard let row, let nonce = try row.optionalBytes("recovery_nonce"),
                let bytes = try row.optionalBytes("recovery")
            else { return .nothing(nil) }
            let version = try row.integer("version")
            let message: [UInt8]
            do {
                message = try wrapping.unwrap(
                    WrappedKey(nonce: nonce, bytes: bytes), context: Self.recoveryContext(subject, volume, version))
            } catch { throw Self.altered(volume, subject) }
            return .recorded(
                message,
                .operation(
                    OperatorAction(
                        .escrowRecovered, subject, by: operatorID, details: ["volume": volume, "reason": reason])))
        }
    }
}

package import CarnetRecords
package import CarnetAppraisal
import CarnetService
package import CarnetStorage
import Cryptography
import StrictEncoding
import Synchronization

/// PCR templates that operators uploaded, each under its name.
///
/// The database is read each time, so an upload through one replica counts at once in all. What was read before is not parsed again: a
/// template that was parsed is taken for a text of the same bytes, and for no other.
package struct PCRTemplateStore: Sendable {
    private let ledger: Ledger
    private let known = Known()

    /// The templates in the ledger\'s database.
    package init(_ ledger: Ledger) { self.ledger = ledger }

    /// The same, with the chain of a writer that has no name of its own.
    package init(_ database: any SQLDatabase) { self.init(Ledger(database)) }

    /// The most templates: each appraisal looks at all of them.
    package static let maximumCount = 256

    /// Stores a template in place of one of the same name.
    ///
    /// - Throws: ``Problem``, 409, when there are as many others as there may be.
    package func store(_ template: PCRTemplate, by creator: String, now: Int64) async throws {
        let isStored = try await ledger.change(at: now) { connection in
            let others = try connection.rows("SELECT name FROM pcr_templates WHERE name <> \(template.name)").count
            guard others < Self.maximumCount else { return .nothing(false) }
            try Self.keep(template.name, in: connection)
            try connection.execute(
                """
                INSERT INTO pcr_templates (name, text, created_at, created_by)
                VALUES (\(template.name), \(template.text), \(now), \(creator))
                ON CONFLICT (name) DO UPDATE SET text = excluded.text, created_at = excluded.created_at,
                    created_by = excluded.created_by
                """)
            return .recorded(
                true,
                .operation(
                    OperatorAction(
                        .templateStored, template.name, by: creator,
                        details: ["sha256": Hexadecimal.encode(template.digest)])))
        }
        guard isStored else { throw Problem.full("PCR templates", Self.maximumCount) }
    }

    /// All templates by name, with who uploaded them and when.
    package func list() async throws -> [(template: PCRTemplate, createdAt: Int64, createdBy: String)] {
        let rows = try await ledger.read { try $0.rows("SELECT * FROM pcr_templates ORDER BY name") }
        let texts = try rows.map { (name: try $0.text("name"), text: try $0.bytes("text")) }
        let templates = try known.templates(texts)
        return try zip(rows, templates).map { row, template in
            (template: template, createdAt: try row.integer("created_at"), createdBy: try row.text("created_by"))
        }
    }

    /// Removes a template.
    ///
    /// - Parameter remover: The identifier of the API token with which it is removed.
    /// - Returns: Whether there was one.
    package func remove(_ name: String, by remover: String, now: Int64) async throws -> Bool {
        try await ledger.change(at: now) { connection in
            guard try connection.row("SELECT 1 FROM pcr_templates WHERE name = \(name)") != nil else {
                return .nothing(false)
            }
            try Self.keep(name, in: connection)
            try connection.execute("DELETE FROM pcr_templates WHERE name = \(name)")
            return .recorded(true, .operation(OperatorAction(.templateRemoved, name, by: remover)))
        }
    }

    /// Keeps the text that a name has now: verdicts were reached with it.
    private static func keep(_ name: String, in connection: any SQLConnection) throws(StorageError) {
        guard let text = try connection.row("SELECT text FROM pcr_templates WHERE name = \(name)")?.bytes("text") else {
            return
        }
        try connection.execute(
            """
            INSERT INTO kept_templates (digest, text) VALUES (\(HashAlgorithm.sha256.hash(text)), \(text))
            ON CONFLICT (digest) DO NOTHING
            """)
    }

    /// The templates with these digests, as they were when they were stored; `nil` when one of them is gone.
    package func templates(_ digests: [[UInt8]]) async throws -> [PCRTemplate]? {
        guard !digests.isEmpty else { return [] }
        let present = try await list().map(\.template)
        var templates: [PCRTemplate] = []
        for digest in digests {
            if let template = present.first(where: { $0.digest == digest }) {
                templates.append(template)
                continue
            }
            let row = try await ledger.read { try $0.row("SELECT text FROM kept_templates WHERE digest = \(digest)") }
            guard let text = try row?.bytes("text"), HashAlgorithm.sha256.hash(text) == digest else { return nil }
            templates.append(try PCRTemplate(parsing: text))
        }
        return templates
    }
}

extension PCRTemplateStore {
    /// The templates as they were read last, by their names in the database: as many as there are rows, so never more than the store holds.
    private final class Known: Sendable {
        private let templates = Mutex<[String: PCRTemplate]>([:])

        /// The templates of these texts. One whose bytes are the same as last time is not parsed again.
        func templates(_ rows: [(name: String, text: [UInt8])]) throws -> [PCRTemplate] {
            let before = templates.withLock(\.self)
            let now = try rows.map { row in
                if let template = before[row.name], template.text == row.text { return template }
                return try PCRTemplate(parsing: row.text)
            }
            templates.withLock { known in
                known = Dictionary(zip(rows.map(\.name), now)) { first, _ in first }
            }
            return now
        }
    }
}

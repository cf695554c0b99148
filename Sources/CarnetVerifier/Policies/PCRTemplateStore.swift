package import CarnetAppraisal
import CarnetService
package import CarnetStorage
import Synchronization

/// PCR templates that operators uploaded, each under its name.
///
/// The database is read each time, so an upload through one replica counts at once in all. What was read before is not parsed again: a
/// template that was parsed is taken for a text of the same bytes, and for no other.
package struct PCRTemplateStore: Sendable {
    private let database: any SQLDatabase
    private let known = Known()

    /// The templates in `database`.
    package init(_ database: any SQLDatabase) { self.database = database }

    /// The most templates: each appraisal looks at all of them.
    package static let maximumCount = 256

    /// Stores a template in place of one of the same name.
    ///
    /// - Throws: ``Problem``, 409, when there are as many others as there may be.
    package func store(_ template: PCRTemplate, by creator: String, now: Int64) async throws {
        let isStored = try await database.write { connection in
            let others = try connection.rows("SELECT name FROM pcr_templates WHERE name <> \(template.name)").count
            guard others < Self.maximumCount else { return false }
            try connection.execute(
                """
                INSERT INTO pcr_templates (name, text, created_at, created_by)
                VALUES (\(template.name), \(template.text), \(now), \(creator))
                ON CONFLICT (name) DO UPDATE SET text = excluded.text, created_at = excluded.created_at,
                    created_by = excluded.created_by
                """)
            return true
        }
        guard isStored else { throw Problem.full("PCR templates", Self.maximumCount) }
    }

    /// All templates by name, with who uploaded them and when.
    package func list() async throws -> [(template: PCRTemplate, createdAt: Int64, createdBy: String)] {
        let rows = try await database.read { try $0.rows("SELECT * FROM pcr_templates ORDER BY name") }
        let texts = try rows.map { (name: try $0.text("name"), text: try $0.bytes("text")) }
        let templates = try known.templates(texts)
        return try zip(rows, templates).map { row, template in
            (template: template, createdAt: try row.integer("created_at"), createdBy: try row.text("created_by"))
        }
    }

    /// Removes a template.
    ///
    /// - Returns: Whether there was one.
    package func remove(_ name: String) async throws -> Bool {
        try await database.write { try $0.execute("DELETE FROM pcr_templates WHERE name = \(name)") == 1 }
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

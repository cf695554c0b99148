package import CarnetLedger
import CarnetResult
package import CarnetStorage
import Foundation
import StrictEncoding

extension Ledger {
    /// A chain as it stands in the database.
    package struct ChainState: Sendable {
        package let name: String
        /// The number of the first entry that is kept.
        package let first: Int64
        package let head: LedgerHead
    }

    /// All chains, also those of the ledger's first form, by name.
    package func chains() async throws -> [ChainState] {
        try await read { [hasFirstForm = form.hasFirstForm] connection in
            var chains: [ChainState] = []
            for row in try connection.rows("SELECT chain FROM ledger_chains ORDER BY chain") {
                let name = try row.text("chain")
                let first = try connection.row(
                    "SELECT number, hash FROM ledger WHERE chain = \(name) ORDER BY number LIMIT 1")
                let last = try connection.row(
                    "SELECT number, hash FROM ledger WHERE chain = \(name) ORDER BY number DESC LIMIT 1")
                if let state = try Self.state(name, first, last) { chains.append(state) }
            }
            for name in hasFirstForm ? try Self.olderWriters(connection) : [] {
                let first = try connection.row(
                    "SELECT number, hash FROM appraisals WHERE writer = \(name) ORDER BY number LIMIT 1")
                let last = try connection.row(
                    "SELECT number, hash FROM appraisals WHERE writer = \(name) ORDER BY number DESC LIMIT 1")
                if let state = try Self.state(OlderLedgerRecord.prefix + name, first, last) { chains.append(state) }
            }
            return chains.sorted { $0.name < $1.name }
        }
    }

    /// The writers of the first form, found from one to the next: there are few, and many rows.
    private static func olderWriters(_ connection: any SQLConnection) throws(StorageError) -> [String] {
        var writers: [String] = [], last = ""
        while let row = try connection.row(
            "SELECT writer FROM appraisals WHERE writer > \(last) ORDER BY writer LIMIT 1"), writers.count < 1000
        {
            last = try row.text("writer")
            writers.append(last)
        }
        return writers
    }

    private static func state(_ name: String, _ first: SQLRow?, _ last: SQLRow?) throws(StorageError) -> ChainState? {
        guard let first, let last else { return nil }
        return ChainState(
            name: name, first: try first.integer("number"),
            head: LedgerHead(chain: name, number: try last.integer("number"), hash: try last.bytes("hash")))
    }

    /// The most bytes of lines in one answer, beside the last line.
    private static let maximumPageByteCount = 2 << 20
    /// How many rows are read at once.
    private static let rowCount: Int64 = 64

    /// The lines of a chain after an entry, at most `limit`. A row that is no entry becomes a line that says so.
    package func lines(of chain: String, after number: Int64, limit: Int) async throws -> [LedgerLine] {
        var lines: [LedgerLine] = [], last = number, byteCount = 0
        while lines.count < limit, byteCount < Self.maximumPageByteCount {
            let (after, count) = (last, min(Self.rowCount, Int64(limit - lines.count)))
            let rows = try await read { [form] in try Self.rows(of: chain, after: after, count, form, $0) }
            for row in rows {
                let line = try Self.line(row, chain)
                lines.append(line)
                byteCount += line.bytes.count
                last = try row.integer("number")
            }
            if Int64(rows.count) < count { break }
        }
        return lines
    }

    private static func rows(
        of chain: String, after number: Int64, _ count: Int64, _ form: RecordsForm, _ connection: any SQLConnection
    ) throws(StorageError) -> [SQLRow] {
        guard form.hasFirstForm, let writer = older(chain) else {
            return try connection.rows(
                "SELECT * FROM ledger WHERE chain = \(chain) AND number > \(number) ORDER BY number LIMIT \(count)")
        }
        return try connection.rows(
            "SELECT * FROM appraisals WHERE writer = \(writer) AND number > \(number) ORDER BY number LIMIT \(count)")
    }

    /// The writer's name, if the chain is of the first form.
    package static func older(_ chain: String) -> String? {
        chain.hasPrefix(OlderLedgerRecord.prefix) ? String(chain.dropFirst(OlderLedgerRecord.prefix.count)) : nil
    }

    private static func line(_ row: SQLRow, _ chain: String) throws(StorageError) -> LedgerLine {
        let number = try row.integer("number")
        let line: LedgerLine
        do {
            line =
                older(chain) == nil
                ? .entry(try LedgerEntryRecord(row: row), hash: try row.bytes("hash"))
                : .older(try OlderLedgerRecord(row: row), hash: try row.bytes("hash"))
        } catch {
            return .unreadable(chain: chain, number: number, reason: error.reason)
        }
        // What cannot be read back would spoil the lines around it.
        guard LedgerLine(parsing: line.bytes) == line else {
            return .unreadable(chain: chain, number: number, reason: "a column does not hold what an entry has there")
        }
        return line
    }

    /// An entry, with the hash that is stored beside it; `nil` when there is none at this place.
    package func entry(_ place: LedgerPlace) async throws -> (LedgerEntryRecord, hash: [UInt8])? {
        let row = try await read {
            try $0.row("SELECT * FROM ledger WHERE chain = \(place.chain) AND number = \(place.number)")
        }
        return try row.map { (try LedgerEntryRecord(row: $0), try $0.bytes("hash")) }
    }

    /// Everything that an audit without checkpoints finds, chain by chain.
    package func faults() async throws -> [LedgerFault] {
        var audit = LedgerAudit(keys: .init([:]))
        for chain in try await chains() {
            var last: Int64 = -1
            while true {
                let lines = try await lines(of: chain.name, after: last, limit: 512)
                for line in lines { audit.add(line) }
                guard let end = lines.last?.place?.number else { break }
                last = end
            }
        }
        return audit.finish().faults.filter { $0.kind != .checkpoints }
    }
}

extension LedgerEntryRecord {
    package init(row: SQLRow) throws(StorageError) {
        self.init(
            chain: try row.text("chain"), number: try row.integer("number"), previous: try row.bytes("previous"),
            time: try row.integer("time"), kind: try row.text("kind"), subject: try row.optionalText("subject"),
            challenge: try row.optionalBytes("challenge"), body: try row.bytes("body"))
    }
}

extension OlderLedgerRecord {
    package init(row: SQLRow) throws(StorageError) {
        self.init(
            writer: try row.text("writer"), number: try row.integer("number"), previous: try row.bytes("previous"),
            time: try row.integer("time"), kind: try row.text("kind"), challenge: try row.bytes("challenge_digest"),
            requester: try row.optionalText("requester"), node: try row.optionalText("node_id"),
            outcome: try row.text("outcome"), policy: try row.optionalBytes("policy_digest"),
            evidence: try row.bytes("evidence_digest"), token: try row.optionalText("token_id"),
            findings: try row.bytes("findings"))
    }
}

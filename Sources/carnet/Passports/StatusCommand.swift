import ArgumentParser
import CarnetCommandLine
import CarnetResult
import Foundation
import StrictEncoding

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Look at a status list, or at where a passport's status is kept.",
        discussion: """
            Examples:
              carnet status list.jwt --jwks jwks.json
              carnet status passport.jwt
              carnet status passport.jwt --list list.jwt --jwks jwks.json

            Without --jwks nothing is verified: what is shown is what the file says of itself.
            """)

    @Argument(help: "The file of a status list token or of a passport; - is standard input.")
    var file: String

    @Option(help: "The status list in which to look the passport up.")
    var list: String?

    @Option(help: "The file of the issuer's JWKS: the list's signature is checked with it.")
    var jwks: String?

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        var uri: String?
        var index: Int?
        var status: String?
        var verified: Bool?
        var issuedAt, expiresAt, timeToLive: Int64?
        var bits, entries, revoked, suspended, other: Int?
    }

    func run() throws {
        let token = try Input.statusList(file)
        var report = Report()
        if let unverified = try? UnverifiedStatusListToken(parsing: token) {
            guard list == nil else { throw ValidationError("\(file) is a status list: --list is for a passport.") }
            try report.describe(read(unverified, file), verified: jwks != nil)
        } else {
            let reference = try Self.reference(token, file)
            report.uri = reference?.uri
            report.index = reference?.index
            if let list {
                guard let reference else { throw Failure(.refused, "The passport names no status list.") }
                let content = try read(Self.unverified(list), list)
                guard content.uri == reference.uri else {
                    throw Failure(.refused, "\(list) is the list \(content.uri); the passport names \(reference.uri).")
                }
                report.describe(content, verified: jwks != nil)
                guard let status = content.list[reference.index] else {
                    throw Failure(.refused, "The list has no entry \(reference.index).")
                }
                report.status = status.description
            }
        }
        if json { return try Output.json(report) }
        guard report.uri != nil else {
            return Output.line("The passport names no status list: nobody can withdraw it.")
        }
        Output.table(report.rows)
    }

    private static func unverified(_ file: String) throws(Failure) -> UnverifiedStatusListToken {
        let token = try Input.statusList(file)
        do {
            return try UnverifiedStatusListToken(parsing: token)
        } catch {
            throw Failure(.unreadable, "\(file): \(error)")
        }
    }

    private func read(_ token: UnverifiedStatusListToken, _ file: String) throws -> StatusListToken {
        do {
            guard let jwks else { return try token.unverifiedContent() }
            return try token.verified(by: JSONWebKeySet(parsing: Input.bytes(jwks)))
        } catch let error as StatusListError {
            let status: Failure.Status = error.code == .signature || error.code == .unknownKey ? .refused : .unreadable
            throw Failure(status, "\(file): \(error)")
        } catch let error as JOSEError {
            throw Failure(.unreadable, "\(jwks ?? ""): \(error)")
        }
    }

    /// Where a passport says that its status is kept; `nil` when it does not say.
    static func reference(_ token: [UInt8], _ file: String) throws -> StatusReference? {
        let root: JSONNode
        do {
            root = try JSONDocument(parsing: CompactJWS(parsing: token).payload, maximumByteCount: 65_536).root
        } catch {
            throw Failure(.unreadable, "\(file) is neither a status list nor a passport: \(error)")
        }
        guard let claim = root["status"] else { return nil }
        guard let reference = StatusReference(claim: claim) else {
            throw Failure(.unreadable, "\(file): the claim status is no reference to a status list.")
        }
        return reference
    }
}

extension StatusCommand.Report {
    /// What a list says of itself, and how many entries say what.
    mutating func describe(_ content: StatusListToken, verified: Bool) {
        uri = content.uri
        self.verified = verified
        issuedAt = content.issuedAt
        expiresAt = content.expiresAt
        timeToLive = content.timeToLive
        bits = content.list.width.rawValue
        entries = content.list.count
        var counts: [TokenStatus: Int] = [:]
        for index in 0..<content.list.count {
            if let status = content.list[index], status != .valid { counts[status, default: 0] += 1 }
        }
        revoked = counts[.invalid] ?? 0
        suspended = counts[.suspended] ?? 0
        other = counts.values.reduce(0, +) - (revoked ?? 0) - (suspended ?? 0)
    }

    var rows: [(String, String)] {
        func time(_ seconds: Int64) -> String { Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601) }
        let rows: [(String, String?)] = [
            ("status list", uri), ("index", index.map { "\($0)" }), ("status", status),
            ("signature", verified.map { $0 ? "the issuer's" : "not checked (give --jwks)" }),
            ("issued at", issuedAt.map(time)), ("valid until", expiresAt.map(time)),
            ("fetch again after", timeToLive.map { "\($0) seconds" }),
            ("entries", entries.map { "\($0), \(bits ?? 0) bit each" }),
            ("revoked", revoked.map { "\($0)" }), ("suspended", suspended.map { $0 > 0 ? "\($0)" : nil } ?? nil),
            ("of another status", other.map { $0 > 0 ? "\($0)" : nil } ?? nil),
        ]
        return rows.compactMap { name, value in value.map { (name, $0) } }
    }
}

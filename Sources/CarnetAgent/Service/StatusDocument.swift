public import CarnetAttester
internal import CarnetEvidence
internal import CarnetService
internal import Foundation
internal import StrictEncoding

/// The status as JSON: for the socket, for the file, and for `carnet-agent status`. There is no passport, nonce or key in it.
public enum StatusDocument {
    /// One JSON object.
    ///
    /// - Parameters:
    ///   - node: The name under which the machine enrols.
    ///   - now: The machine's calendar in seconds since 1970.
    ///   - monotonic: The keeper's clock in milliseconds.
    public static func bytes(
        _ status: KeeperStatus, node: String, verifier: String, now: Int64, monotonic: Int64
    ) -> [UInt8] {
        JSONWriter.object { writer in
            writer.string("state", status.state.word)
            writer.string("node", node)
            writer.string("verifier", verifier)
            if let subject = status.subject { writer.string("subject", subject) }
            if let passport = status.passport {
                writer.object("passport") { writer in
                    writer.string("status", passport.summary.status)
                    writer.string("issued_at", RFC3339.format(passport.summary.issuedAt))
                    writer.string("expires_at", RFC3339.format(passport.summary.expiresAt))
                    writer.integer("expires_in", max(0, passport.validUntil - monotonic) / 1000)
                }
            }
            if let pcrs = status.pcrs { writer.string("pcrs", pcrs) }
            findings(status.findings, to: &writer)
            if let failure = status.failure { writer.string("failure", failure) }
            if let count = status.state.count { writer.integer("attempts", Int64(count)) }
            if let next = status.nextIn { writer.integer("next_in", next) }
            if let ago = status.answeredAgo { writer.integer("answered_ago", ago) }
            writer.integer("attestations", Int64(status.attestationCount))
            if let offset = status.clockOffset { writer.integer("clock_offset", offset) }
            if let warning = status.clockWarning { writer.string("clock_warning", warning) }
            writer.string("time", RFC3339.format(now))
        }
    }

    /// A member `findings`, as the verifier writes them.
    static func findings(_ findings: [Finding], to writer: inout JSONWriter) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(findings) else { return }
        writer.json("findings", Array(data))
    }
}

extension Renewal.State {
    /// One word.
    public var word: String {
        switch self {
        case .unenrolled: "unenrolled"
        case .pendingApproval: "pending-approval"
        case .fresh: "fresh"
        case .renewing: "renewing"
        case .failing: "failing"
        case .refused: "refused"
        }
    }

    /// How many attempts in a row came to nothing.
    var count: Int? {
        switch self {
        case .failing(let count), .refused(let count): count
        case .unenrolled, .pendingApproval, .fresh, .renewing: nil
        }
    }
}

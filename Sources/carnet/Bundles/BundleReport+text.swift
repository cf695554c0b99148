import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult
import Foundation

extension BundleReport {
    /// Everything as text for people.
    func print(to print: (String) -> Void) {
        Output.table(rows(at: currentTime()), to: print)
        for note in notes { print("Note: " + note) }
    }

    private static func time(_ seconds: Int64) -> String {
        Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601)
    }

    private static func distance(_ seconds: Int64, _ now: Int64) -> String {
        seconds <= now ? "\(Span.words(now - seconds)) ago" : "\(Span.words(seconds - now)) from now"
    }

    private func rows(at now: Int64) -> [(String, String)] {
        func moment(_ seconds: Int64) -> String { "\(Self.time(seconds)) (\(Self.distance(seconds, now)))" }
        var rows = [
            ("bundle", name), ("number", "\(sequence)"), ("signature", verified ? "trusted" : "not checked"),
            ("issued at", moment(issuedAt)), ("valid until", moment(expiresAt)),
            ("and its grace", moment(expiresAt + grace)), ("next signed by", nextSigners.joined(separator: ", ")),
        ]
        for issuer in issuers {
            rows.append(("issuer", issuer.issuer))
            rows += issuer.keys.map { ("  key", $0) } + issuer.nextKeys.map { ("  next key", $0) }
            for list in issuer.statusLists {
                let end =
                    list.expiresAt.map { ", \($0 <= now ? "EXPIRED" : "expires") \(moment($0))" } ?? ", without an end"
                rows.append(("  status list", "\(list.name), made \(moment(list.issuedAt))\(end)"))
            }
        }
        rows += minimum.rows
        if let graceLeft { rows.append(("EXPIRED", "counts for another \(Span.words(graceLeft)): get the next one")) }
        return rows
    }

    /// For how long status lists in a bundle help, for every issuer: a bundle holds none that begins later.
    static func notes(_ issuers: [Issuer], _ minimum: Minimum, at now: Int64) -> [String] {
        let choice =
            minimum.maximumStatusAge == nil
            ? "unless the relying party chooses --status-where-listed or --skip-status"
            : "and the bundle's minimum policy (maximum-status-age) leaves a relying party no other choice"
        let longest = min(minimum.maximumStatusAge ?? 86_400, 86_400), usual = min(longest, 300)
        return issuers.map { issuer in
            guard let oldest = issuer.statusLists.map(\.issuedAt).min() else {
                return
                    "There is no status list of \(issuer.issuer): its passports that name one are refused as status-unknown, \(choice)."
            }
            func until(_ seconds: Int64) -> String {
                let end = oldest + seconds
                return end <= now ? "counted until \(time(end))" : "count until \(time(end))"
            }
            let most =
                longest > usual ? ", and at the very most \(until(longest)) (--maximum-status-age \(longest))" : ""
            return
                "The status lists of \(issuer.issuer) \(until(usual)), \(Span.words(usual)) after they were made, where a relying party sets nothing else\(most). A verifier begins new lists every hour: passports on lists that are not here are refused as status-unknown, and those on lists that are too old as status-stale, \(choice)."
        }
    }
}

extension BundleReport.Minimum {
    fileprivate var rows: [(String, String)] {
        let all: [(String, String?)] = [
            ("tier", tier), ("depth", depth), ("key-protection", keyProtection),
            ("policy-id", policyIDs.isEmpty ? nil : policyIDs.joined(separator: ", ")),
            ("policy-digest", policyDigests.isEmpty ? nil : policyDigests.joined(separator: ", ")),
            ("maximum-age", maximumAge.map(Span.words)), ("maximum-status-age", maximumStatusAge.map(Span.words)),
        ]
        let given = all.compactMap { name, value in value.map { ("minimum", "\(name) \($0)") } }
        return given.isEmpty ? [("minimum", "nothing is demanded")] : given
    }
}

internal import CarnetEvidence

extension [Finding] {
    /// The most findings of one rule about one PCR that are told one by one.
    private static var maximumCount: Int { 20 }

    /// These findings, of each rule about one PCR not more than can be read, and behind them how many more there were.
    ///
    /// Answers and the ledger have room for a hundred: where there are more, the first of each kind come first, so that nobody who can
    /// cause many of one kind hides another behind them.
    var told: [Finding] {
        var counts: [FindingKind: Int] = [:], told: [(rank: Int, finding: Finding)] = []
        for finding in self {
            let kind = FindingKind(finding)
            let rank = counts[kind, default: 0]
            counts[kind] = rank + 1
            guard rank < Self.maximumCount || finding.rule.hasPrefix("ima-") else { continue }
            told.append((rank, finding))
        }
        for (kind, count) in counts where count > Self.maximumCount && !kind.rule.hasPrefix("ima-") {
            let more = Finding(
                kind.family, rule: kind.rule, bank: kind.bank, pcr: kind.pcr,
                "\(count - Self.maximumCount) more like these" + (kind.pcr.map { " in PCR \($0)" } ?? ""),
                remedy: "Begin with those that are named")
            let last = told.lastIndex { FindingKind($0.finding) == kind }
            told.insert((Self.maximumCount, more), at: last.map { $0 + 1 } ?? told.endIndex)
        }
        guard told.count > 100 else { return told.map(\.finding) }
        let ordered = told.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
        return ordered.map(\.element.finding)
    }
}

/// What makes two findings of one kind.
private struct FindingKind: Hashable {
    let family: Finding.Family
    let rule: String
    let bank: String?
    let pcr: Int?

    init(_ finding: Finding) {
        family = finding.family
        rule = finding.rule
        bank = finding.bank
        pcr = finding.pcr
    }
}

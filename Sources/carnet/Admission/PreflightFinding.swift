/// Something that a preflight found: what is so, where, and what to do about it.
struct PreflightFinding: Encodable, Hashable {
    /// How much it matters.
    enum Weight: String, Encodable, CaseIterable, Comparable {
        /// A machine can join, or stay, without being attested.
        case bypass
        /// Somebody other than the gate could let one in, or the gate does not work as it should.
        case warning
        /// What is good to know.
        case note

        static func < (left: Weight, right: Weight) -> Bool {
            guard let left = allCases.firstIndex(of: left), let right = allCases.firstIndex(of: right) else {
                return false
            }
            return left < right
        }
    }

    let weight: Weight
    /// A word that stays, for scripts: `auto-approval`, `webhook-absent` …
    let rule: String
    /// A sentence.
    let finding: String
    /// Objects and subjects, one each.
    let objects: [String]
    /// A command or a sentence; `nil` where nothing is to be done.
    let remedy: String?
}

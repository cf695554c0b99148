import CarnetEvidence
import Testing

extension Authentication {
    /// The rule that was broken; `nil` for an authentic quote.
    var brokenRule: String? {
        guard case .broken(let findings) = self else { return nil }
        return findings.first?.rule ?? "a broken chain without a finding"
    }

    /// The quote, or a failed test.
    func accepted(_ location: SourceLocation = #_sourceLocation) throws -> AuthenticatedQuote {
        guard case .authentic(let quote) = self else {
            try #require(Bool(false), "broken: \(self)", sourceLocation: location)
            throw Refused()
        }
        return quote
    }

    struct Refused: Error {}
}

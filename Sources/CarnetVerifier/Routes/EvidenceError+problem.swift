import CarnetRecords
public import CarnetEvidence
public import CarnetService

extension EvidenceError: ProblemConvertible {
    /// Evidence that cannot be read: 400, with the member at fault.
    public var problem: Problem { .malformed("\(reason).", member: member.isEmpty ? nil : member) }
}

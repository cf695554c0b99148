import CarnetRecords
public import CarnetAppraisal
public import CarnetService

extension PolicyError: ProblemConvertible {
    /// A text that is no policy: 400, with the member at fault and its line.
    public var problem: Problem { .malformed("\(self)", member: member.isEmpty ? nil : member) }
}

/// Runs checks in their order: until the first refusal, as ``PassportVerifier/verify(_:at:)`` does, or all of them, keeping every
/// refusal, as ``PassportVerifier/explain(_:at:)`` does. Both run the same checks.
struct Examination {
    let keepsGoing: Bool
    private(set) var refusals: [Refusal] = []

    init(keepsGoing: Bool) { self.keepsGoing = keepsGoing }

    /// What `check` finds; `nil` when it refuses and the examination goes on.
    mutating func run<Value>(_ check: () throws(Refusal) -> Value) throws(Refusal) -> Value? {
        do throws(Refusal) {
            return try check()
        } catch {
            guard keepsGoing else { throw error }
            refusals.append(error)
            return nil
        }
    }

    /// A refusal that does not end an explanation.
    mutating func require(
        _ condition: Bool, _ code: Refusal.Code, _ reason: @autoclosure () -> String, nextStep: String
    ) throws(Refusal) {
        if condition { return }
        _ = try run { () throws(Refusal) in throw Refusal(code, reason(), nextStep: nextStep) }
    }
}

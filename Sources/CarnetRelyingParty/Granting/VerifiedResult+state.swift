public import CarnetResult

extension VerifiedResult {
    /// The state to which the machine's keys are bound, or secrets can be; `nil` where the passport states none.
    ///
    /// It is read when somebody asks, from the bytes whose signature was checked: most checks of a passport never need it.
    ///
    /// - Throws: ``Refusal/Code/claims`` for a claim that cannot be read.
    public func stateBinding() throws(Refusal) -> StateBinding? {
        guard submodules[AttestationResult.submodule] != nil, profile.verifierClaims != nil else { return nil }
        do {
            return try StateBinding(inPassport: token)
        } catch {
            throw Refusal(
                .claims, "The claims cannot be used: \(error)", nextStep: "Report this to the issuer")
        }
    }
}

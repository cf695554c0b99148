/// Who may call a route. Every route has one; a route without one stops the service from starting.
public enum AccessClass: Sendable, Hashable {
    /// Anybody. The answer tells nothing that is not public.
    case `public`
    /// A machine that attests. What it sends proves who it is (a TPM's signature, a secret that only its TPM can open), so
    /// there is no credential in the header.
    case attester
    /// A relying party, by its API token.
    case relyingParty
    /// A person or program that runs the service, by its API token.
    case `operator`(atLeast: Role)

    /// Whether a caller may pass. `nil` is a caller without a credential.
    public func admits(_ principal: Principal?) -> Bool {
        switch self {
        case .public, .attester: true
        case .relyingParty: principal?.role == .relyingParty
        case .operator(let least):
            if let rank = principal?.role.operatorRank, let needed = least.operatorRank {
                rank >= needed
            } else {
                false
            }
        }
    }

    /// Whether the caller's credential has to be looked at.
    var needsCredential: Bool {
        switch self {
        case .public, .attester: false
        case .relyingParty, .operator: true
        }
    }
}

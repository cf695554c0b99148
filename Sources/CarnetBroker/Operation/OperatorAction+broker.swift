import CarnetRecords

extension OperatorAction.Action {
    static let secretStored = Self("secret.store")
    static let secretRead = Self("secret.read")
    static let secretRemoved = Self("secret.remove")
    static let policyStored = Self("release-policy.store")
    static let policyRemoved = Self("release-policy.remove")
    static let escrowDestroyed = Self("escrow.destroy")
    static let escrowRecovered = Self("escrow.recover")
}

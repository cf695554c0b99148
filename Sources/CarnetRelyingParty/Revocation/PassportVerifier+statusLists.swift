extension PassportVerifier {
    /// The same verifier with other status lists, after a refresh. Proofs that were seen stay remembered.
    public func checking(_ lists: StatusLists) -> PassportVerifier {
        var verifier = self
        verifier.statusLists = lists
        return verifier
    }
}

extension PassportVerifier {
    /// Why every passport would be refused now, whatever it says: there is no key, keys or bundle are too old, or every status list that is
    /// held is, where a status is demanded. `nil` when passports can be checked.
    ///
    /// What is told is a fault of whoever checks, and of no machine: a service that answers machines says that it cannot serve now.
    ///
    /// - Parameter now: Seconds since 1970, by the relying party's own clock.
    public func outage(at now: Int64) -> Refusal? {
        let now = Self.bounded(now)
        do throws(Refusal) {
            guard !keys.isEmpty else {
                throw Refusal(
                    .unknownKey, "No key of the issuer is at hand", nextStep: "Fetch the issuer's key set")
            }
            try checkKeys(at: now)
            _ = try bundleFreshness(at: now)
            try statusLists.checkAny(expectations, at: now)
            return nil
        } catch {
            return error
        }
    }
}

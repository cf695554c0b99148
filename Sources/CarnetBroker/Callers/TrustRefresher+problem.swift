import CarnetRelyingParty
import CarnetService
import CarnetTrustRefresh

extension TrustRefresher {
    /// The answer to a machine whose passport was refused for what this broker lacks: to try again later; `nil` when the refusal is about the
    /// passport.
    func problem(of refusal: CarnetRelyingParty.Refusal, at now: Int64) -> Problem? {
        guard isOutage(refusal.code) else { return nil }
        var problem = Problem.unavailable(
            "The broker cannot check passports now: \(outage ?? refusal.reason). The passport is not to blame; try again later.",
            retryAfter: Int(min(max(dueAt - now, 5), 60)))
        // The log was told when the refresh failed, and not by each machine that comes.
        problem.isExpected = true
        return problem
    }
}

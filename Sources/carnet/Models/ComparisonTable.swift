import Cryptography

/// The nonce that a relying party makes for one request.
enum RelyingPartyNonce {
    static func fresh() -> [UInt8] { SecureRandom.bytes(32) }
}

/// Both models side by side: what was measured here, and what follows from how they work.
enum ComparisonTable {
    static func rows(_ passport: ModelRun, _ check: ModelRun, _ requests: Int) -> [[String]] {
        [
            ["calls to the verifier for \(requests) requests", "\(passport.verifierCalls)", "\(check.verifierCalls)"],
            ["calls by the relying party", "0", "\(check.verifierCalls)"],
            ["before the first request", milliseconds(passport.preparation), milliseconds(check.preparation)],
            ["latency of a request, median", milliseconds(passport.medianRequest), milliseconds(check.medianRequest)],
            ["of it in the machine's TPM", milliseconds(passport.medianTPM), milliseconds(check.medianTPM)],
            ["work of the verifier", work(passport.verdicts), work(check.verdicts)],
            [
                "waiting for the verifier, in all", milliseconds(passport.verifierTime),
                milliseconds(check.verifierTime),
            ],
            ["how stale a verdict can be", "\(passport.lifetime) s (its lifetime)", "0 s (made for the request)"],
            ["a stolen verdict", "useless without the TPM's key", "useless: it answers one nonce"],
            ["the verifier is down", "goes on for up to \(passport.lifetime) s", "every request fails at once"],
            ["the relying party needs", "a clock, keys, a status list", "a network path, an API token"],
        ]
    }

    /// What the verifier does for each verdict that it signs.
    private static func work(_ verdicts: Int) -> String {
        verdicts == 1 ? "1 appraisal and 1 signature" : "\(verdicts) appraisals and \(verdicts) signatures"
    }

    private static func milliseconds(_ value: Double) -> String {
        "\((value * 10).rounded() / 10) ms"
    }
}

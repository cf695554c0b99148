internal import CarnetResult
internal import StrictEncoding

/// The claims of a token whose signature was checked, before the relying party's expectations are.
struct TokenClaims {
    let root: JSONNode
    let token: [UInt8]

    /// Checks every expectation, in the order of RFC 8725bis and of the type's own comment.
    func verified(_ expected: Expectations, at now: Int64) throws(Refusal) -> VerifiedResult {
        guard root.isObject else { throw Self.unreadable("the claims are not an object") }
        try checkIssuer(expected)
        try checkAudience(expected)
        let (issuedAt, expiresAt) = try checkTimes(expected, at: now)
        try checkProfile(expected)
        guard let subject = root["sub"]?.string, !subject.isEmpty else { throw Self.unreadable("sub is missing") }
        let status = try checkStatus(expected)
        let submodules = try checkSubmodules(expected)
        let nonce = try checkNonce(expected)
        guard root["status"] == nil else {
            throw Refusal(
                .revocation, "The token refers to a status list, which this library does not check",
                nextStep: "Use a version of the library that does")
        }
        let thumbprint = try checkBinding()
        return VerifiedResult(
            issuer: expected.issuer, subject: subject, tokenID: root["jti"]?.string, issuedAt: issuedAt,
            expiresAt: expiresAt, nonce: nonce, status: status, submodules: submodules, keyThumbprint: thumbprint,
            token: token)
    }

    private func checkIssuer(_ expected: Expectations) throws(Refusal) {
        guard root["iss"]?.string == expected.issuer else {
            throw Refusal(
                .issuer, "The issuer is \(quoted(root["iss"])), not \(expected.issuer)",
                nextStep: "Accept passports only of the verifier whose keys you hold")
        }
    }

    private func checkAudience(_ expected: Expectations) throws(Refusal) {
        guard let audience = root["aud"] else {
            throw Refusal(.audience, "The token has no aud", nextStep: "Ask the verifier to name its audiences")
        }
        let isNamed =
            audience.string == expected.audience
            || audience.elements?.contains { $0.string == expected.audience } == true
        guard isNamed else {
            throw Refusal(
                .audience, "The token is not meant for \(expected.audience)",
                nextStep: "Let the machine get a passport for this audience, or state your own name correctly")
        }
    }

    private func checkTimes(
        _ expected: Expectations, at now: Int64
    ) throws(Refusal) -> (issuedAt: Int64, expiresAt: Int64) {
        let issuedAt = try seconds("iat"), expiresAt = try seconds("exp")
        let skew = expected.clockSkew
        guard now < expiresAt + skew else {
            throw Refusal(
                .expired, "The token expired \(now - expiresAt) seconds ago", nextStep: "Let the machine attest again")
        }
        let notBefore = root["nbf"] == nil ? issuedAt : try seconds("nbf")
        guard notBefore - skew <= now, issuedAt - skew <= now else {
            throw Refusal(
                .notYetValid, "The token is valid only in \(max(notBefore, issuedAt) - now) seconds",
                nextStep: "Compare the clocks of the verifier and of this machine")
        }
        guard now - issuedAt <= expected.maximumAge + skew else {
            throw Refusal(
                .tooOld,
                "The token was issued \(now - issuedAt) seconds ago; at most \(expected.maximumAge) are accepted",
                nextStep: "Let the machine attest again")
        }
        guard expiresAt > issuedAt, expiresAt - issuedAt <= expected.maximumLifetime else {
            throw Refusal(
                .lifetime,
                "The token lives \(expiresAt - issuedAt) seconds; at most \(expected.maximumLifetime) are accepted",
                nextStep: "Configure the verifier to issue shorter passports")
        }
        return (issuedAt, expiresAt)
    }

    private func checkProfile(_ expected: Expectations) throws(Refusal) {
        guard let profile = root["eat_profile"]?.string, expected.profiles.contains(profile) else {
            throw Refusal(
                .profile, "The profile is \(quoted(root["eat_profile"])), which is not accepted",
                nextStep: "Accept the profile explicitly if you know its rules")
        }
    }

    private func checkStatus(_ expected: Expectations) throws(Refusal) -> TrustTier {
        guard let status = root["ear_status"]?.string.flatMap(TrustTier.init(rawValue:)) else {
            throw Self.unreadable("ear_status is missing or unknown")
        }
        guard status >= expected.minimumTier else {
            throw Refusal(
                .tier, "The verdict is \(status.rawValue); at least \(expected.minimumTier.rawValue) is demanded",
                nextStep: "Look at the verifier's findings for this machine")
        }
        return status
    }

    private func checkSubmodules(_ expected: Expectations) throws(Refusal) -> [String: VerifiedSubmodule] {
        guard let submods = root["submods"], submods.isObject, submods.count > 0 else {
            throw Refusal(.submodule, "The token has no submods", nextStep: "Present a result about a machine")
        }
        var verified: [String: VerifiedSubmodule] = [:]
        for label in expected.requiredSubmodules.sorted() {
            guard let node = submods[label] else {
                throw Refusal(
                    .submodule, "The token says nothing about \(label)",
                    nextStep: "Use a verifier that appraises \(label), or do not demand it")
            }
            verified[label] = try SubmoduleClaims(label: label, node: node).verified(expected)
        }
        return verified
    }

    private func checkNonce(_ expected: Expectations) throws(Refusal) -> [UInt8]? {
        let nonce = root["eat_nonce"]?.string.flatMap { Base64URL.decode($0) }
        if let wanted = expected.nonce, nonce != wanted {
            throw Refusal(
                .nonce, "The result is not for the nonce that was given", nextStep: "Ask for a result with this nonce")
        }
        return nonce
    }

    /// RFC 7800 §3.1: one key; Carnet names it by its thumbprint (RFC 9449 §6.1).
    private func checkBinding() throws(Refusal) -> String {
        let next = "Let the machine attest with a key to bind"
        guard let confirmation = root["cnf"], confirmation.isObject else {
            throw Refusal(.binding, "The token is bound to no key (cnf)", nextStep: next)
        }
        guard confirmation.count == 1, let thumbprint = confirmation["jkt"]?.string, thumbprint.utf8.count == 43 else {
            throw Refusal(.binding, "cnf does not name exactly one key by its thumbprint", nextStep: next)
        }
        return thumbprint
    }

    /// An integer date. RFC 9711 §4.3.1 makes a float an error; values beyond the year 2286 are refused, so that no sum overflows.
    private func seconds(_ name: String) throws(Refusal) -> Int64 {
        guard let node = root[name] else { throw Self.unreadable("\(name) is missing") }
        guard let value = node.integer, (0..<10_000_000_000).contains(value) else {
            throw Self.unreadable("\(name) is not a whole number of seconds")
        }
        return value
    }

    private func quoted(_ node: JSONNode?) -> String {
        guard let text = node?.string else { return "missing" }
        return String(
            text.unicodeScalars.prefix(100).filter { $0.value >= 0x20 && $0.value != 0x7F }.map(Character.init))
    }

    static func unreadable(_ reason: String) -> Refusal {
        Refusal(.claims, "The claims cannot be used: \(reason)", nextStep: "Report this to the issuer")
    }
}

internal import CarnetResult
internal import StrictEncoding

/// The claims of a token whose signature was checked, before the relying party's expectations are.
struct TokenClaims {
    let root: JSONNode
    let token: [UInt8]

    /// Checks every expectation, in the order of RFC 8725bis and of ``PassportVerifier``'s own comment.
    func verified(
        _ expected: Expectations, _ statusLists: StatusLists, at now: Int64
    ) throws(Refusal) -> VerifiedResult {
        guard root.isObject else { throw Self.unreadable("the claims are not an object") }
        try checkIssuer(expected)
        try checkAudience(expected)
        let (issuedAt, expiresAt) = try checkTimes(expected, at: now)
        try checkProfile(expected)
        let subject = try text("sub"), tokenID = try text("jti")
        try checkVerifierID()
        let (status, submodules) = try checkSubmodules(expected)
        let nonce = try checkNonce(expected)
        let revocation = try statusLists.check(root["status"], expected, at: now)
        let thumbprint = try checkBinding(expected)
        return VerifiedResult(
            issuer: expected.issuer, subject: subject, tokenID: tokenID, issuedAt: issuedAt, expiresAt: expiresAt,
            nonce: nonce, status: status, submodules: submodules, keyThumbprint: thumbprint, revocation: revocation,
            token: token)
    }

    private func checkIssuer(_ expected: Expectations) throws(Refusal) {
        guard root["iss"]?.isString(equalTo: expected.issuer) == true else {
            throw Refusal(
                .issuer, "The issuer is \(quoted(root["iss"])), not \(expected.issuer)",
                nextStep: "Accept passports only of the verifier whose keys you hold")
        }
    }

    private func checkAudience(_ expected: Expectations) throws(Refusal) {
        guard let audience = root["aud"] else {
            throw Refusal(.audience, "The token has no aud", nextStep: "Ask the verifier to name its audiences")
        }
        let names = audience.isString ? [audience] : audience.elements ?? []
        let isNamed =
            names.allSatisfy(\.isString) && names.contains { $0.isString(equalTo: expected.audience) }
        guard isNamed else {
            throw Refusal(
                .audience, "The token is not meant for \(expected.audience)",
                nextStep: "Let the machine get a passport for this audience, or state your own name correctly")
        }
    }

    private func checkTimes(
        _ expected: Expectations, at now: Int64
    ) throws(Refusal) -> (issuedAt: Int64, expiresAt: Int64) {
        let issuedAt = try seconds("iat"), expiresAt = try seconds("exp"), notBefore = try seconds("nbf")
        let skew = expected.clockSkew
        guard now < expiresAt + skew else {
            throw Refusal(
                .expired, "The token expired \(now - expiresAt) seconds ago", nextStep: "Let the machine attest again")
        }
        guard notBefore - skew <= now, issuedAt - skew <= now else {
            throw Refusal(
                .notYetValid, "The token is valid only in \(max(notBefore, issuedAt) - now) seconds",
                nextStep: "Compare the clocks of the verifier and of this machine")
        }
        guard now - issuedAt - skew <= expected.maximumAge else {
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
        let profile = root["eat_profile"]
        guard let profile, expected.profiles.contains(where: { profile.isString(equalTo: $0) }) else {
            throw Refusal(
                .profile, "The profile is \(quoted(profile)), which is not accepted",
                nextStep: "Accept the profile explicitly if you know its rules")
        }
    }

    /// draft-ietf-rats-ar4si §3.3: both members are mandatory.
    private func checkVerifierID() throws(Refusal) {
        let identity = root["ear_verifier_id"]
        guard identity?["developer"]?.isString == true, identity?["build"]?.isString == true else {
            throw Self.unreadable("ear_verifier_id does not name a developer and a build")
        }
    }

    /// The status of the whole and the required submodules. Those that nobody asked for count too: the whole is never better than the
    /// worst of all (draft-ietf-rats-ear §3.1).
    private func checkSubmodules(
        _ expected: Expectations
    ) throws(Refusal) -> (TrustTier, [String: VerifiedSubmodule]) {
        guard let status = TrustTier(root["ear_status"]) else {
            throw Self.unreadable("ear_status is missing or unknown")
        }
        guard status >= expected.minimumTier else {
            throw Refusal(
                .tier, "The verdict is \(status.rawValue); at least \(expected.minimumTier.rawValue) is demanded",
                nextStep: "Look at the verifier's findings for this machine")
        }
        guard let submods = root["submods"], let members = submods.members, !members.isEmpty else {
            throw Refusal(.submodule, "The token has no submods", nextStep: "Present a result about a machine")
        }
        if let missing = expected.requiredSubmodules.lazy.filter({ submods[$0] == nil }).min() {
            throw Refusal(
                .submodule, "The token says nothing about \(missing)",
                nextStep: "Use a verifier that appraises \(missing), or do not demand it")
        }
        var verified: [String: VerifiedSubmodule] = [:]
        for (label, node) in members {
            let claims = try SubmoduleClaims(label: label, node: node)
            if expected.requiredSubmodules.contains(label) { verified[label] = try claims.verified(expected) }
            guard status <= claims.status else {
                throw Self.unreadable("ear_status is better than that of \(Self.printable(label))")
            }
        }
        return (status, verified)
    }

    private func checkNonce(_ expected: Expectations) throws(Refusal) -> [UInt8]? {
        var nonce: [UInt8]?
        if let node = root["eat_nonce"] {
            nonce = node.withStringBytes { Base64URL.decode($0) } ?? nil
            guard let nonce, (8...64).contains(nonce.count) else {
                throw Self.unreadable("eat_nonce is not base64url of 8 to 64 bytes")
            }
        }
        if let wanted = expected.nonce, nonce != wanted {
            throw Refusal(
                .nonce, "The result is not for the nonce that was given", nextStep: "Ask for a result with this nonce")
        }
        return nonce
    }

    /// RFC 7800 §3.1: one key; Carnet names it by its thumbprint (RFC 9449 §6.1). Where that key lives is said in the TPM's submodule,
    /// and it is read there whether or not the relying party demands anything else of that submodule.
    private func checkBinding(_ expected: Expectations) throws(Refusal) -> String {
        let next = "Let the machine attest with a key to bind"
        guard let confirmation = root["cnf"], confirmation.isObject else {
            throw Refusal(.binding, "The token is bound to no key (cnf)", nextStep: next)
        }
        guard confirmation.count == 1, let node = confirmation["jkt"],
            (node.withStringBytes { Base64URL.decode($0) } ?? nil)?.count == 32, let thumbprint = node.string
        else {
            throw Refusal(.binding, "cnf does not name exactly one key by its thumbprint", nextStep: next)
        }
        let claims = root["submods"]?[AttestationResult.submodule]?["ear_verifier_claims"]
        let protection = KeyProtection(claims?["key_protection"]) ?? .software
        guard protection >= expected.minimumKeyProtection else {
            throw Refusal(
                .keyProtection,
                "The bound key is kept in \(protection.rawValue); \(expected.minimumKeyProtection.rawValue) is demanded",
                nextStep: "Let the machine bind a key that its TPM holds")
        }
        return thumbprint
    }

    private func text(_ name: String) throws(Refusal) -> String {
        guard let text = root[name]?.string, !text.isEmpty else { throw Self.unreadable("\(name) is missing") }
        return text
    }

    /// An integer date. RFC 9711 §4.3.1 makes a float an error; values beyond the year 2286 are refused, so that no sum overflows.
    private func seconds(_ name: String) throws(Refusal) -> Int64 {
        guard let node = root[name] else { throw Self.unreadable("\(name) is missing") }
        guard let value = node.integer, (0..<10_000_000_000).contains(value) else {
            throw Self.unreadable("\(name) is not a whole number of seconds")
        }
        return value
    }

    private func quoted(_ node: JSONNode?) -> String { node?.string.map(Self.printable) ?? "missing" }

    /// At most two hundred characters of a stranger's text, none of which could move a terminal's cursor.
    static func printable(_ text: String) -> String {
        String(
            decoding: text.utf8.prefix(200).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    static func unreadable(_ reason: String) -> Refusal {
        Refusal(.claims, "The claims cannot be used: \(reason)", nextStep: "Report this to the issuer")
    }
}

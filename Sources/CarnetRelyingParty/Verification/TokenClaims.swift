internal import CarnetResult
internal import StrictEncoding

/// The claims of a token whose signature was checked, before the relying party's expectations are.
struct TokenClaims {
    let root: IndexedJSON.Node
    let token: [UInt8]

    /// Checks every expectation, in the order of RFC 8725bis and of ``PassportVerifier``'s own comment.
    ///
    /// - Returns: `nil` when the examination went on in spite of a refusal.
    func verified(
        _ expected: Expectations, _ statusLists: StatusLists, at now: Int64, _ examination: inout Examination
    ) throws(Refusal) -> VerifiedResult? {
        guard root.isObject else { throw Self.unreadable("the claims are not an object") }
        let issuer = try examination.run { () throws(Refusal) in try self.issuer(expected) }
        _ = try examination.run { () throws(Refusal) in try checkAudience(expected) }
        let times = try examination.run { () throws(Refusal) in try self.times(expected) }
        if let times { try times.check(expected, at: now, &examination) }
        let profile =
            try examination.run { () throws(Refusal) in try self.profile(expected) } ?? spelling()
        let subject = try examination.run { () throws(Refusal) in try text("sub", .subject, expected) }
        let tokenID = try examination.run { () throws(Refusal) in try text("jti", .tokenID, expected) }
        _ = try examination.run { () throws(Refusal) in try checkVerifierID(profile) }
        let appraisals = try checkSubmodules(expected, profile, &examination)
        try checkCustomClaims(expected, &examination)
        let nonce = try examination.run { () throws(Refusal) in try checkNonce(expected) }
        let revocation = try examination.run { () throws(Refusal) in
            try statusLists.check(root["status"], expected, at: now)
        }
        let binding = try examination.run { () throws(Refusal) in try checkBinding(expected) }
        try checkNode(expected, profile, &examination)
        guard examination.refusals.isEmpty, let issuer, let times, let subject, let tokenID, let appraisals, let nonce,
            let revocation, let binding
        else { return nil }
        return VerifiedResult(
            issuer: issuer, subject: subject, tokenID: tokenID, times: times, profile: profile, nonce: nonce,
            status: appraisals.status, submodules: appraisals.submodules, keyThumbprint: binding.thumbprint,
            certificateHash: binding.certificateHash, revocation: revocation, token: token)
    }

    private func issuer(_ expected: Expectations) throws(Refusal) -> String {
        let node = root["iss"]
        guard node != nil || !expected.toleratedAbsences.contains(.issuer) else { return "" }
        guard node?.isString(equalTo: expected.issuer) == true else {
            throw Refusal(
                .issuer, "The issuer is \(quoted(node)), not \(expected.issuer)",
                nextStep: "Accept passports only of the verifier whose keys you hold")
        }
        return expected.issuer
    }

    private func checkAudience(_ expected: Expectations) throws(Refusal) {
        guard let audience = root["aud"] else {
            guard expected.toleratedAbsences.contains(.audience) else {
                throw Refusal(.audience, "The token has no aud", nextStep: "Ask the verifier to name its audiences")
            }
            return
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

    /// A token without `exp` lives as long as the expectations let one live.
    private func times(_ expected: Expectations) throws(Refusal) -> TokenTimes {
        let absences = expected.toleratedAbsences
        let issuedAt = try seconds("iat")
        let life = min(max(expected.maximumAge, 1), max(expected.maximumLifetime, 1), 10_000_000_000)
        let expiresAt =
            absences.contains(.expiry) && root["exp"] == nil ? issuedAt + life : try seconds("exp")
        let notBefore = absences.contains(.notBefore) && root["nbf"] == nil ? issuedAt : try seconds("nbf")
        return TokenTimes(issuedAt: issuedAt, notBefore: notBefore, expiresAt: expiresAt)
    }

    private func profile(_ expected: Expectations) throws(Refusal) -> EARProfile {
        let found = root["eat_profile"]
        guard let found, let profile = expected.profiles.first(where: { found.isString(equalTo: $0.uri) }) else {
            throw Refusal(
                .profile, "The profile is \(quoted(found)), which is not accepted",
                nextStep: "Accept the profile explicitly if you know its rules")
        }
        try refuseForeignNames(in: root, profile)
        return profile
    }

    /// The profile by which an unaccepted token is explained.
    private func spelling() -> EARProfile {
        EARProfile.known.first { root["eat_profile"]?.isString(equalTo: $0.uri) == true } ?? .draft04
    }

    /// draft-ietf-rats-ar4si §3.3: both members are mandatory.
    private func checkVerifierID(_ profile: EARProfile) throws(Refusal) {
        let identity = root[profile.verifierID]
        guard identity?["developer"]?.isString == true, identity?["build"]?.isString == true else {
            throw Self.unreadable("\(profile.verifierID) does not name a developer and a build")
        }
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

    /// RFC 7800 §3.1: one key. It is named by its thumbprint (RFC 9449 §6.1), by a certificate (RFC 8705 §3.1), or by both.
    private func checkBinding(
        _ expected: Expectations
    ) throws(Refusal) -> (thumbprint: String, certificateHash: [UInt8]?) {
        let next = "Let the machine attest with a key to bind"
        if root["cnf"] == nil, expected.toleratedAbsences.contains(.binding) { return ("", nil) }
        guard let confirmation = root["cnf"], confirmation.isObject else {
            throw Refusal(.binding, "The token is bound to no key (cnf)", nextStep: next)
        }
        let key = confirmation["jkt"], certificate = confirmation["x5t#S256"]
        let named = [key, certificate].compactMap(\.self)
        let hashes = named.map { $0.withStringBytes { Base64URL.decode($0) } ?? nil }
        guard !named.isEmpty, confirmation.count == named.count, hashes.allSatisfy({ $0?.count == 32 }) else {
            throw Refusal(
                .binding, "cnf does not name exactly one key, by its thumbprint or by a certificate", nextStep: next)
        }
        return (key?.string ?? "", certificate == nil ? nil : hashes.last ?? nil)
    }
}

internal import CarnetResult
internal import StrictEncoding

/// The claims about one submodule of a token whose signature was checked.
struct SubmoduleClaims {
    let label: String
    let node: JSONNode

    func verified(_ expected: Expectations) throws(Refusal) -> VerifiedSubmodule {
        guard let status = node["ear_status"]?.string.flatMap(TrustTier.init(rawValue:)) else {
            throw TokenClaims.unreadable("ear_status of \(label) is missing or unknown")
        }
        guard status >= expected.minimumTier else {
            throw Refusal(
                .tier,
                "The verdict about \(label) is \(status.rawValue); at least \(expected.minimumTier.rawValue) is demanded",
                nextStep: "Look at the verifier's findings for this machine")
        }
        let vector = try readVector()
        if !vector.isEmpty, vector.worstTier < status {
            throw TokenClaims.unreadable("ear_status of \(label) is better than its worst claim")
        }
        for (claim, floor) in expected.vectorFloors.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            guard let value = vector[claim], TrustworthinessVector.tier(of: value) >= floor else {
                throw Refusal(
                    .vector, "\(label) does not assert \(claim.rawValue) as \(floor.rawValue) or better",
                    nextStep: "Use a policy that appraises it, or do not demand it")
            }
        }
        let policyIDs = try checkPolicies(expected)
        let claims = node["ear_verifier_claims"]
        let depth = claims?["appraisal_depth"]?.string.flatMap(AppraisalDepth.init(rawValue:)) ?? .pcrs
        guard depth >= expected.minimumDepth else {
            throw Refusal(
                .depth, "The appraisal looked at \(depth.rawValue) only; \(expected.minimumDepth.rawValue) is demanded",
                nextStep: "Use a policy that demands the event log")
        }
        let protection = claims?["key_protection"]?.string.flatMap(KeyProtection.init(rawValue:)) ?? .software
        guard protection >= expected.minimumKeyProtection else {
            throw Refusal(
                .keyProtection,
                "The bound key is kept in \(protection.rawValue); \(expected.minimumKeyProtection.rawValue) is demanded",
                nextStep: "Let the machine bind a key that its TPM holds")
        }
        return VerifiedSubmodule(
            status: status, vector: vector, policyIDs: policyIDs, depth: depth, keyProtection: protection,
            encryptionKey: try encryptionKey(claims), secureBoot: node["ear_attester_claims"]?["secure_boot"]?.boolean)
    }

    private func readVector() throws(Refusal) -> TrustworthinessVector {
        var vector = TrustworthinessVector()
        guard let members = node["ear_trustworthiness_vector"]?.members else { return vector }
        for (name, value) in members {
            guard let claim = TrustworthinessVector.Claim(rawValue: name) else { continue }
            guard let number = value.integer.flatMap({ Int8(exactly: $0) }) else {
                throw TokenClaims.unreadable("\(name) of \(label) is not between -128 and 127")
            }
            vector[claim] = number
        }
        return vector
    }

    private func checkPolicies(_ expected: Expectations) throws(Refusal) -> [String] {
        let identifiers = node["ear_appraisal_policy_ids"]?.elements?.compactMap(\.string) ?? []
        guard !expected.policyIDs.isEmpty else { return identifiers }
        let isNamed = identifiers.contains { identifier in
            expected.policyIDs.contains(identifier)
                || identifier.firstIndex(of: "@").map { expected.policyIDs.contains(String(identifier[..<$0])) } == true
        }
        guard isNamed else {
            throw Refusal(
                .policy,
                "\(label) was appraised under \(identifiers.isEmpty ? "no policy" : identifiers.joined(separator: ", "))",
                nextStep: "Demand that policy, or let the verifier activate the one you demand")
        }
        return identifiers
    }

    private func encryptionKey(_ claims: JSONNode?) throws(Refusal) -> BoundEncryptionKey? {
        guard let node = claims?["enc_jwk"] else { return nil }
        do {
            let protection = claims?["enc_key_protection"]?.string.flatMap(KeyProtection.init(rawValue:)) ?? .software
            return BoundEncryptionKey(key: try JSONWebKey(node), protection: protection)
        } catch {
            throw TokenClaims.unreadable("enc_jwk of \(label) is no usable key: \(error)")
        }
    }
}

internal import CarnetResult
internal import StrictEncoding

/// The claims about one submodule of a token whose signature was checked.
struct SubmoduleClaims {
    let label: String
    let node: JSONNode
    let status: TrustTier

    /// Reads the status, which every submodule must have.
    init(label: String, node: JSONNode) throws(Refusal) {
        guard let status = TrustTier(node["ear_status"]) else {
            throw TokenClaims.unreadable("ear_status of \(TokenClaims.printable(label)) is missing or unknown")
        }
        self.label = label
        self.node = node
        self.status = status
    }

    /// Where the bound key lives, as far as this submodule says it in words that are known here.
    var keyProtection: KeyProtection { KeyProtection(node["ear_verifier_claims"]?["key_protection"]) ?? .software }

    func verified(_ expected: Expectations) throws(Refusal) -> VerifiedSubmodule {
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
        for claim in TrustworthinessVector.Claim.allCases where !expected.vectorFloors.isEmpty {
            guard let floor = expected.vectorFloors[claim] else { continue }
            guard let value = vector[claim], TrustworthinessVector.tier(of: value) >= floor else {
                throw Refusal(
                    .vector, "\(label) does not assert \(claim.rawValue) as \(floor.rawValue) or better",
                    nextStep: "Use a policy that appraises it, or do not demand it")
            }
        }
        let policyIDs = try checkPolicies(expected)
        let claims = node["ear_verifier_claims"]
        let depth = AppraisalDepth(claims?["appraisal_depth"]) ?? .pcrs
        guard depth >= expected.minimumDepth else {
            throw Refusal(
                .depth, "The appraisal looked at \(depth.rawValue) only; \(expected.minimumDepth.rawValue) is demanded",
                nextStep: "Use a policy that demands the event log")
        }
        return VerifiedSubmodule(
            status: status, vector: vector, policyIDs: policyIDs, depth: depth, keyProtection: keyProtection,
            encryptionKey: try encryptionKey(claims), secureBoot: node["ear_attester_claims"]?["secure_boot"]?.boolean)
    }

    private func readVector() throws(Refusal) -> TrustworthinessVector {
        var vector = TrustworthinessVector()
        guard let object = node["ear_trustworthiness_vector"] else { return vector }
        guard object.isObject else { throw TokenClaims.unreadable("the vector of \(label) is not an object") }
        var unread = object.count
        for claim in TrustworthinessVector.Claim.allCases where unread > 0 {
            guard let value = object[claim.rawValue] else { continue }
            unread -= 1
            guard let number = value.integer.flatMap({ Int8(exactly: $0) }) else {
                throw TokenClaims.unreadable("\(claim.rawValue) of \(label) is not between -128 and 127")
            }
            vector[claim] = number
        }
        return vector
    }

    private func checkPolicies(_ expected: Expectations) throws(Refusal) -> [String] {
        let identifiers = node["ear_appraisal_policy_ids"]?.elements?.compactMap(\.string) ?? []
        guard !expected.policyIDs.isEmpty else { return identifiers }
        let isNamed = identifiers.contains { identifier in
            expected.policyIDs.contains(identifier) || expected.policyIDs.contains(Self.withoutDigest(identifier))
        }
        guard isNamed else {
            let found = identifiers.isEmpty ? "no policy" : identifiers.joined(separator: ", ")
            throw Refusal(
                .policy, "\(label) was appraised under \(TokenClaims.printable(found))",
                nextStep: "Demand that policy, or let the verifier activate the one you demand")
        }
        return identifiers
    }

    /// `<policy>@sha256:<digest>` without the digest. A tag URI may have another @ before it (RFC 4151 §2.1).
    private static func withoutDigest(_ identifier: String) -> String {
        guard let at = identifier.lastIndex(of: "@"), identifier[at...].hasPrefix("@sha256:") else { return identifier }
        return String(identifier[..<at])
    }

    /// The point is looked at when something is encrypted to it.
    private func encryptionKey(_ claims: JSONNode?) throws(Refusal) -> BoundEncryptionKey? {
        guard let node = claims?["enc_jwk"] else { return nil }
        do {
            let protection = KeyProtection(claims?["enc_key_protection"]) ?? .software
            return BoundEncryptionKey(key: try JSONWebKey(uncheckedPoint: node), protection: protection)
        } catch {
            throw TokenClaims.unreadable("enc_jwk of \(label) is no usable key: \(error)")
        }
    }
}

extension RawRepresentable where RawValue == String, Self: CaseIterable {
    /// The case whose raw value a string node is.
    init?(_ node: JSONNode?) {
        guard let node, let found = Self.allCases.first(where: { node.isString(equalTo: $0.rawValue) }) else {
            return nil
        }
        self = found
    }
}

internal import CarnetResult
internal import StrictEncoding

/// The claims about one submodule of a token whose signature was checked.
struct SubmoduleClaims {
    let label: String
    let node: IndexedJSON.Node
    let profile: EARProfile
    let status: TrustTier

    /// Reads the status, which every submodule must have.
    init(label: String, node: IndexedJSON.Node, profile: EARProfile) throws(Refusal) {
        guard let status = TrustTier(node[profile.status]) else {
            throw TokenClaims.unreadable("\(profile.status) of \(TokenClaims.printable(label)) is missing or unknown")
        }
        self.label = TokenClaims.printable(label)
        self.node = node
        self.profile = profile
        self.status = status
    }

    /// Checks what is demanded of a required submodule.
    ///
    /// - Returns: `nil` when the examination went on in spite of claims that cannot be read.
    func verified(
        _ expected: Expectations, _ examination: inout Examination
    ) throws(Refusal) -> VerifiedSubmodule? {
        try examination.require(
            status >= expected.minimumTier, .tier,
            "The verdict about \(label) is \(status.rawValue); at least \(expected.minimumTier.rawValue) is demanded",
            nextStep: "Look at the verifier's findings for this machine")
        let vector = try examination.run { () throws(Refusal) in try readVector() }
        for claim in TrustworthinessVector.Claim.allCases where !expected.vectorFloors.isEmpty {
            guard let floor = expected.vectorFloors[claim], let vector else { continue }
            try examination.require(
                vector[claim].map { TrustworthinessVector.tier(of: $0) >= floor } == true, .vector,
                "\(label) does not assert \(claim.rawValue) as \(floor.rawValue) or better",
                nextStep: "Use a policy that appraises it, or do not demand it")
        }
        let policyIDs = policies()
        try checkPolicies(policyIDs, expected, &examination)
        let claims = profile.verifierClaims.flatMap { node[$0] }
        let depth = AppraisalDepth(claims?["appraisal_depth"]) ?? .pcrs
        try examination.require(
            depth >= expected.minimumDepth, .depth,
            "The appraisal looked at \(depth.rawValue) only; \(expected.minimumDepth.rawValue) is demanded",
            nextStep: expected.minimumDepth == .eventLogAndIMA
                ? "Use a policy that demands the kernel's list of files (IMA), and let the machine send it"
                : "Use a policy that demands the event log")
        let encryptionKey = try examination.run { () throws(Refusal) in try self.encryptionKey(claims) }
        let labels = try examination.run { () throws(Refusal) in try nodeLabels(claims) }
        let phases = try examination.run { () throws(Refusal) in try self.phases(claims) }
        guard let vector, let encryptionKey, let labels, let phases else { return nil }
        return VerifiedSubmodule(
            status: status, vector: vector, policyIDs: policyIDs, depth: depth,
            keyProtection: KeyProtection(claims?["key_protection"]) ?? .software, encryptionKey: encryptionKey,
            nodeLabels: labels, phases: phases.words,
            secureBoot: profile.attesterClaims.flatMap { node[$0]?["secure_boot"]?.boolean })
    }

    private func readVector() throws(Refusal) -> TrustworthinessVector {
        var vector = TrustworthinessVector()
        guard let object = node[profile.vector] else { return vector }
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
        if !vector.isEmpty, vector.worstTier < status {
            throw TokenClaims.unreadable("\(profile.status) of \(label) is better than its worst claim")
        }
        return vector
    }

    private func policies() -> [String] {
        guard let named = node[profile.policies] else { return [] }
        return profile.names == .dotted ? [named.string].compactMap(\.self) : named.elements?.compactMap(\.string) ?? []
    }

    private func checkPolicies(
        _ identifiers: [String], _ expected: Expectations, _ examination: inout Examination
    ) throws(Refusal) {
        guard !expected.policyIDs.isEmpty || !expected.policyDigests.isEmpty else { return }
        let next = "Demand that policy, or let the verifier activate the one you demand"
        let found = identifiers.isEmpty ? "no policy" : TokenClaims.printable(identifiers.joined(separator: ", "))
        let named = identifiers.filter { identifier in
            expected.policyIDs.isEmpty || expected.policyIDs.contains(identifier)
                || expected.policyIDs.contains(Self.parts(identifier).name)
        }
        try examination.require(
            !named.isEmpty || expected.policyIDs.isEmpty, .policy,
            "\(label) was appraised under \(found); \(Self.list(expected.policyIDs)) is demanded", nextStep: next)
        // One policy must have both: the name of one and the digest of another say nothing.
        let pinned = (named.isEmpty ? identifiers : named).contains { identifier in
            Self.parts(identifier).digest.map(expected.policyDigests.contains) == true
        }
        try examination.require(
            pinned || expected.policyDigests.isEmpty, .policy,
            "\(label) was appraised under \(found); the digest \(Self.list(expected.policyDigests)) is demanded",
            nextStep: next)
    }

    /// A few of the names that are demanded.
    private static func list(_ names: Set<String>) -> String {
        let some = names.sorted().prefix(4).joined(separator: " or ")
        return names.count > 4 ? some + " or one of \(names.count - 4) others" : some
    }

    /// The parts of `<policy>@sha256:<digest>`. A tag URI may have another @ before it (RFC 4151 §2.1).
    private static func parts(_ identifier: String) -> (name: String, digest: String?) {
        guard let at = identifier.lastIndex(of: "@"), identifier[at...].hasPrefix("@sha256:") else {
            return (identifier, nil)
        }
        return (String(identifier[..<at]), String(identifier[at...].dropFirst(8)))
    }

    /// What the verifier's operator calls the machine, where the verifier says it.
    private func nodeLabels(_ claims: IndexedJSON.Node?) throws(Refusal) -> [String: String] {
        guard let node = claims?["node_labels"] else { return [:] }
        guard let members = node.members, members.count <= 64 else {
            throw TokenClaims.unreadable("node_labels of \(label) is not an object of at most 64 labels")
        }
        var labels: [String: String] = [:]
        for (name, value) in members {
            guard let text = value.string else {
                throw TokenClaims.unreadable("node_labels of \(label) has a label that is not a text")
            }
            labels[name] = text
        }
        return labels
    }

    private struct StatedPhases {
        let words: [String]?
    }

    /// The phases of the boot that the logs confirm, where the verifier says them.
    private func phases(_ claims: IndexedJSON.Node?) throws(Refusal) -> StatedPhases {
        guard let node = claims?["phases"] else { return StatedPhases(words: nil) }
        guard let elements = node.elements, elements.count <= VerifierClaims.maximumPhaseCount else {
            throw TokenClaims.unreadable("phases of \(label) is not an array of at most 32 words")
        }
        let words = elements.compactMap(\.string)
        guard words.count == elements.count else {
            throw TokenClaims.unreadable("phases of \(label) has an element that is not a text")
        }
        return StatedPhases(words: words)
    }

    /// The point is looked at when something is encrypted to it.
    private func encryptionKey(_ claims: IndexedJSON.Node?) throws(Refusal) -> BoundEncryptionKey? {
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
    init?(_ node: IndexedJSON.Node?) {
        guard let node, let found = Self.allCases.first(where: { node.isString(equalTo: $0.rawValue) }) else {
            return nil
        }
        self = found
    }
}

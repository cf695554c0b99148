internal import CarnetResult
internal import StrictEncoding

extension TokenClaims {
    /// The status of the whole and the required submodules. Those that nobody asked for count too: the whole is never better than the
    /// worst of all (draft-ietf-rats-ear §3.1).
    func checkSubmodules(
        _ expected: Expectations, _ profile: EARProfile, _ examination: inout Examination
    ) throws(Refusal) -> (status: TrustTier, submodules: [String: VerifiedSubmodule])? {
        let stated = try examination.run { () throws(Refusal) in try statedStatus(expected, profile) } ?? nil
        if let stated {
            try examination.require(
                stated >= expected.minimumTier, .tier,
                "The verdict is \(stated.rawValue); at least \(expected.minimumTier.rawValue) is demanded",
                nextStep: "Look at the verifier's findings for this machine")
        }
        let submods = root["submods"]
        guard let submods, let members = submods.members, !members.isEmpty else {
            try examination.require(
                false, .submodule, "The token has no submods", nextStep: "Present a result about a machine")
            return nil
        }
        let required = expected.examinedSubmodules
        for missing in required.lazy.filter({ submods[$0] == nil }).sorted() {
            try examination.require(
                false, .submodule, "The token says nothing about \(missing)",
                nextStep: "Use a verifier that appraises \(missing), or do not demand it")
        }
        var verified: [String: VerifiedSubmodule] = [:]
        var worst = TrustTier.affirming
        for (label, node) in members {
            guard
                let claims = try examination.run({ () throws(Refusal) in
                    try refuseForeignNames(in: node, profile)
                    return try SubmoduleClaims(label: label, node: node, profile: profile)
                })
            else { continue }
            if required.contains(label) {
                verified[label] = try claims.verified(expected, &examination)
            }
            worst = min(worst, claims.status)
            if let stated, stated > claims.status {
                _ = try examination.run { () throws(Refusal) in
                    throw Self.unreadable("\(profile.status) is better than that of \(Self.printable(label))")
                }
            }
        }
        if stated == nil {
            try examination.require(
                worst >= expected.minimumTier, .tier,
                "The worst verdict is \(worst.rawValue); at least \(expected.minimumTier.rawValue) is demanded",
                nextStep: "Look at the verifier's findings for this machine")
        }
        return (stated ?? worst, verified)
    }

    /// The status of the whole; `nil` where a token may leave it out and does.
    private func statedStatus(_ expected: Expectations, _ profile: EARProfile) throws(Refusal) -> TrustTier? {
        let node = root[profile.status]
        if node == nil, expected.toleratedAbsences.contains(.status) { return nil }
        guard let status = TrustTier(node) else {
            throw Self.unreadable("\(profile.status) is missing or unknown")
        }
        return status
    }

    /// Where the bound key lives, and what the verifier calls the machine, is said in the TPM's submodule, and it is read there whether
    /// or not the relying party demands anything else of that submodule.
    func checkNode(
        _ expected: Expectations, _ profile: EARProfile, _ examination: inout Examination
    ) throws(Refusal) {
        let claims = profile.verifierClaims.flatMap { root["submods"]?[AttestationResult.submodule]?[$0] }
        let protection = KeyProtection(claims?["key_protection"]) ?? .software
        try examination.require(
            protection >= expected.minimumKeyProtection, .keyProtection,
            "The bound key is kept in \(protection.rawValue); \(expected.minimumKeyProtection.rawValue) is demanded",
            nextStep: Self.bindingAdvice(expected.minimumKeyProtection))
        let stated = claims?["phases"]?.elements, phases = stated?.compactMap(\.string)
        if let reason = expected.phases.unmet(by: phases?.count == stated?.count ? phases : nil) {
            try examination.require(
                false, .phase, String(reason.dropLast()),
                nextStep: "Ask in the phase that is meant, under a policy that demands the runtime log")
        }
        let labels = claims?["node_labels"]
        for (name, value) in expected.nodeLabels.sorted(by: { $0.key < $1.key }) {
            try examination.require(
                labels?[name]?.isString(equalTo: value) == true, .nodeLabel,
                "The machine's label \(name) is \(quoted(labels?[name])), not \(value)",
                nextStep: "Label the machine at the verifier, or do not demand it")
        }
    }

    private static func bindingAdvice(_ demanded: KeyProtection) -> String {
        demanded == .tpmState
            ? "Let the machine attest with a key that is bound to its state (--key-protection tpm-state)"
            : "Let the machine bind a key that its TPM holds"
    }

    func checkCustomClaims(_ expected: Expectations, _ examination: inout Examination) throws(Refusal) {
        for (name, value) in expected.claims.sorted(by: { $0.key < $1.key }) {
            let found = root[name]
            try examination.require(
                found.map(value.isEqual) == true, .customClaim,
                "The claim \(name) is \(found.map { $0.isString ? quoted($0) : "another \($0.kind)" } ?? "missing"), not \(value)",
                nextStep: "Let the verifier state this claim, or do not demand it")
        }
    }

    /// Refuses names of the spelling that the token's profile does not have.
    func refuseForeignNames(in node: IndexedJSON.Node, _ profile: EARProfile) throws(Refusal) {
        guard !node.hasMember(prefix: profile.foreignPrefix) else {
            throw Self.unreadable("names that begin with \(profile.foreignPrefix) do not belong to its profile")
        }
    }

    func text(_ name: String, _ claim: OmissibleClaim, _ expected: Expectations) throws(Refusal) -> String {
        if root[name] == nil, expected.toleratedAbsences.contains(claim) { return "" }
        guard let text = root[name]?.string, !text.isEmpty else { throw Self.unreadable("\(name) is missing") }
        return text
    }

    /// An integer date. RFC 9711 §4.3.1 makes a float an error; values beyond the year 2286 are refused, so that no sum overflows.
    func seconds(_ name: String) throws(Refusal) -> Int64 {
        guard let node = root[name] else { throw Self.unreadable("\(name) is missing") }
        guard let value = node.integer, (0..<10_000_000_000).contains(value) else {
            throw Self.unreadable("\(name) is not a whole number of seconds")
        }
        return value
    }

    func quoted(_ node: IndexedJSON.Node?) -> String { node?.string.map(Self.printable) ?? "missing" }

    /// At most two hundred characters of a stranger's text, none of which could move a terminal's cursor.
    static func printable(_ text: String) -> String {
        String(
            decoding: text.utf8.prefix(200).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    static func unreadable(_ reason: String) -> Refusal {
        Refusal(.claims, "The claims cannot be used: \(reason)", nextStep: "Report this to the issuer")
    }
}

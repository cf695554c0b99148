public import CarnetRelyingParty
internal import CarnetResult

extension AdmissionRules {
    /// How a node stands by the passport that it shows: in public, so that it proves nothing but what the verifier said of the machine.
    ///
    /// Bad news does not lapse: a passport that was withdrawn, or tells of a machine that is not to be trusted, says so after its end too.
    ///
    /// - Parameters:
    ///   - token: The compact token.
    ///   - node: The node that shows it, in whose name nobody else can.
    ///   - now: Seconds since 1970.
    public func standing(
        ofPassport token: String, node: String, by verifier: PassportVerifier, at now: Int64
    ) -> NodeStanding {
        let bytes = Array(token.utf8), identity: PassportIdentity
        if let outage = verifier.outage(at: now) { return .unknown(reason: outage.description) }
        do throws(Refusal) {
            identity = try verifier.identity(of: bytes, at: now)
        } catch {
            return error.mayHeal ? .unknown(reason: error.description) : .unreadable(reason: error.description)
        }
        guard let name = names.nodeName(of: identity), PresentedRequest.isEqual(name, node) else {
            return .unreadable(
                reason: "The passport is not this node's. " + names.advice(for: node, identity.subject) + ".")
        }
        if identity.status < verifier.expectations.minimumTier { return .contraindicated }
        if identity.withdrawal != nil { return .revoked }
        do throws(Refusal) {
            let result = try verifier.verify(bytes, at: now)
            return .attested(from: result.issuedAt, until: result.expiresAt)
        } catch {
            return Self.standing(error, identity, verifier.expectations)
        }
    }

    private static func standing(
        _ refusal: Refusal, _ identity: PassportIdentity, _ expected: Expectations
    ) -> NodeStanding {
        switch refusal.code {
        case .expired, .tooOld: .lapsed(at: min(identity.expiresAt, identity.issuedAt + max(expected.maximumAge, 0)))
        case .revoked: .revoked
        case .tier, .vector, .policy, .depth, .phase, .nodeLabel, .customClaim, .submodule, .keyProtection:
            .contraindicated
        default:
            refusal.mayHeal ? .unknown(reason: refusal.description) : .unreadable(reason: refusal.description)
        }
    }
}

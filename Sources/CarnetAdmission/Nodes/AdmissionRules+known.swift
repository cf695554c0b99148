import CarnetRelyingParty
import NodeAdmission

extension AdmissionRules {
    /// How a node stands by a passport, quickly for one that was accepted before and is remembered: most of them, most of the time.
    func knownStanding(
        ofPassport token: String, node: String, by verifier: PassportVerifier, at now: Int64
    ) -> NodeStanding {
        if let result = try? verifier.verify(Array(token.utf8), at: now), let name = names.nodeName(of: result),
            name.utf8.elementsEqual(node.utf8)
        {
            return .attested(from: result.issuedAt, until: result.expiresAt)
        }
        return standing(ofPassport: token, node: node, by: verifier, at: now)
    }
}

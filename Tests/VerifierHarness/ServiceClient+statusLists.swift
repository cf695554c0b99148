package import CarnetRelyingParty
import HTTPTypes
package import ServiceHarness
import StrictEncoding

extension ServiceClient {
    /// Every status list that a verifier serves, checked with the keys that it publishes: what a relying party fetches.
    package func statusLists() async throws -> StatusLists {
        let keySet = try JSONWebKeySet(parsing: await call(.get, "/.well-known/jwks.json").body)
        var lists = try StatusLists(keySet: keySet)
        for name in try await call(.get, "/status-lists").json["status_lists"]?.elements?.compactMap(\.string) ?? [] {
            let answer = try await call(.get, String(name.dropFirst(VerifierUnderTest.issuer.count)))
            guard answer.status == 200 else { throw VerifierUnderTest.Unexpected(answer: answer.text) }
            try lists.add(answer.body, named: name)
        }
        return lists
    }
}

import BrokerHarness
import CarnetBroker
import CarnetResult
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// What happens between attest and resource: withdrawn results end, policies of the verifier's decide at the next appraisal, and release
/// policies at once.
@Suite struct KeyBrokerRevocationTests {
    /// A broker that takes lists of two minutes, and a guest that attested.
    private static func attested(
        _ body:
            @escaping @Sendable (KeyBrokerScene, KeyBrokerClient, KeyBrokerClient.Session, String) async throws ->
            Void
    ) async throws {
        try await KeyBrokerScene.run({ $0.maximumStatusAge = 120 }) { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (session, token) = try await guest.attested()
            #expect(try await guest.resource(session: session).status == 200)
            try await body(scene, guest, session, token)
        }
    }

    private static func tokenID(_ token: String) throws -> String {
        let payload = token.split(separator: ".")[1]
        let claims = try JSONDocument(parsing: #require(Base64URL.decode(payload)), maximumByteCount: 16_384).root
        return try #require(claims["jti"]?.string)
    }

    @Test(
        "A token that was withdrawn, or whose machine was, opens nothing, by cookie and by itself",
        arguments: ["token", "node", "issued_before", "removed"])
    func revoked(_ kind: String) async throws {
        try await Self.attested { scene, guest, session, token in
            // What was issued in the second that a revocation names is not issued before it.
            for clock in [scene.broker.clock, scene.verifier.clock] { clock.advance(by: 2) }
            let administrator = try scene.verifier.administrator
            let node = try await scene.office.call(.get, "/admin/v1/nodes", token: administrator).json["nodes"]?
                .elements?.first?["id"]?.string
            let id = try #require(node)
            let target =
                switch kind {
                case "token": "\"\(try Self.tokenID(token))\""
                case "node": "\"\(id)\""
                default: "\(scene.verifier.clock.now)"
                }
            let answer =
                kind == "removed"
                ? try await scene.office.call(.delete, "/admin/v1/nodes/\(id)", token: administrator)
                : try await scene.office.send(
                    .post, "/admin/v1/revocations", token: administrator, "{\"\(kind)\":\(target),\"reason\":\"test\"}")
            #expect(answer.status == (kind == "removed" ? 204 : 201), "\(answer.text)")
            for clock in [scene.broker.clock, scene.verifier.clock] { clock.advance(by: 150) }
            for answer in [try await guest.resource(session: session), try await guest.resource(bearer: token)] {
                #expect(answer.status == 401 && answer.keyBrokerError == "TokenVerifierError", "\(answer.text)")
                #expect(answer.text.contains("withdrew"), "\(answer.text)")
            }
            // The session still tells what it attested with, which opens nothing.
            #expect(try await guest.attest(session, "{}").json["token"]?.string == token)
            #expect(try await guest.resource(session: session).status == 401)
        }
    }

    @Test("A verifier's policy that changed decides when a guest attests again; what it was given lives its minutes")
    func verifierPolicy() async throws {
        try await Self.attested { scene, guest, session, _ in
            let values = try KeyBrokerScene.machinePolicy()
            let wrong = String(repeating: "ab", count: 32)
            let other = values.split(separator: "\n", omittingEmptySubsequences: false).map { line in
                line.hasPrefix("    4: ") ? "    4: \(wrong)" : String(line)
            }.joined(separator: "\n")
            #expect(other.contains("    4: \(wrong)"))
            let stored = try await scene.office.call(
                .post, "/admin/v1/policies", token: scene.verifier.administrator, type: "application/yaml",
                body: Array(other.utf8))
            let digest = try #require(try stored.json["sha256"]?.string, "\(stored.text)")
            let active = try await scene.office.call(
                .post, "/admin/v1/policies/\(digest)/activation", token: scene.verifier.administrator)
            #expect((200..<300).contains(active.status), "\(active.text)")
            for clock in [scene.broker.clock, scene.verifier.clock] { clock.advance(by: 150) }
            #expect(try await guest.resource(session: session).status == 200)
            let next = try await guest.session()
            let refused = try await guest.attest(next, guest.evidence(next.nonce))
            #expect(refused.status == 401 && refused.keyBrokerError == "AttestationError", "\(refused.text)")
            for clock in [scene.broker.clock, scene.verifier.clock] { clock.advance(by: 240) }
            #expect(try await guest.resource(session: session).status == 401)
        }
    }

    @Test("A release policy that was changed or removed counts at once, also for a session that attested before")
    func releasePolicy() async throws {
        try await Self.attested { scene, guest, session, token in
            let broker = scene.broker
            try await broker.policy(
                KeyBrokerScene.policy.replacingOccurrences(of: "[kbs]", with: "[jwe]"), guest.broker)
            #expect(try await guest.resource(session: session).keyBrokerError == "PolicyDeny")
            try await broker.policy(KeyBrokerScene.policy, guest.broker)
            #expect(try await guest.resource(session: session).status == 200)
            let removed = try await guest.broker.call(
                .delete, "/admin/v1/release-policies/guests", token: broker.administrator)
            #expect(removed.status == 204)
            for answer in [try await guest.resource(session: session), try await guest.resource(bearer: token)] {
                #expect(answer.status == 401 && answer.keyBrokerError == "PolicyDeny", "\(answer.text)")
            }
        }
    }

    @Test("Who is not meant cannot tell another's secret from one that nobody has, or that goes in another form only")
    func oracle() async throws {
        try await KeyBrokerScene.run(policy: nil) { scene, client in
            let broker = scene.broker
            let others = "machines: [\"urn:carnet:node:11111111-2222-3333-4444-555555555555\"]\n"
            // There, and another machine's; there, and for other labels; there, and of no policy; not there, with such policies.
            for part in ["others", "labels", "nobody"] {
                #expect(try await broker.put("default/\(part)/1", KeyBrokerScene.secret, client).status == 201)
            }
            let policies = [
                "version: 1\nid: a\nsecrets: [default/others/*]\nforms: [kbs]\npassport: {key_protection: software}\n\(others)",
                "version: 1\nid: b\nsecrets: [default/labels/*]\nforms: [kbs]\npassport: {key_protection: software, labels: {kind: x}}\n",
                "version: 1\nid: c\nsecrets: [default/others/*]\nforms: [jwe]\n\(others)",
            ]
            for policy in policies {
                let answer = try await broker.policy(policy, client)
                #expect(answer.status == 201, "\(answer.text)")
            }
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (session, token) = try await guest.attested()
            let names = ["others/1", "others/2", "labels/1", "labels/2", "nobody/1", "nobody/2"].map { "default/" + $0 }
            var told: Set<String> = []
            for name in names {
                for answer in [
                    try await guest.resource(name, session: session), try await guest.resource(name, bearer: token),
                ] {
                    #expect(answer.status == 401 && answer.keyBrokerError == "PolicyDeny", "\(name): \(answer.text)")
                    told.insert(answer.text)
                }
            }
            #expect(told.count == 1, "\(told)")
            // Whom a policy means is told what it lacks, whether the secret is there or not.
            _ = try await broker.policy(
                "version: 1\nid: d\nsecrets: [default/nobody/*]\nforms: [jwe]\npassport: {key_protection: software}\n",
                client)
            let meant = try await guest.resource("default/nobody/1", session: session)
            let missing = try await guest.resource("default/nobody/2", session: session)
            #expect(meant.text == missing.text && meant.text.contains("not given as kbs"), "\(meant.text)")
        }
    }
}

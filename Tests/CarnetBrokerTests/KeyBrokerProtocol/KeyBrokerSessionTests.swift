import BrokerHarness
import CarnetStorage
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// What a session is good for: one attempt, of whoever has its cookie, with evidence for its own nonce, until it ends.
@Suite struct KeyBrokerSessionTests {
    private static func sessionCount(_ scene: KeyBrokerScene) async throws -> Int64 {
        let database = try await scene.broker.openDatabase()
        return try await database.read {
            try $0.row("SELECT COUNT(*) AS count FROM kbs_sessions")?.integer("count") ?? -1
        }
    }

    @Test("Thousands of sessions that never attest cost nothing that lasts, and keep nobody out") func asking()
        async throws
    {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let first = try await guest.session()
            let nonces = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        var nonces: [String] = []
                        for _ in 0..<100 { nonces.append(try await guest.session().nonce) }
                        return nonces
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.formUnion($1) }
            }
            #expect(nonces.count == 2000)
            #expect(try await Self.sessionCount(scene) == 0)
            #expect(try await guest.attest(first, guest.evidence(first.nonce)).status == 200)
            #expect(try await Self.sessionCount(scene) == 1)
        }
    }

    @Test("As many sessions attest as there is room for; the next is told when to come again, and known ones go on")
    func full() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let (known, token) = try await guest.attested()
            let end = scene.broker.clock.now + 200
            let database = try await scene.broker.openDatabase()
            try await database.write { connection in
                _ = try connection.execute(
                    """
                    WITH RECURSIVE fill(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM fill WHERE i < 65535)
                    INSERT INTO kbs_sessions (id, expires_at) SELECT 'filled-' || i, \(end) FROM fill
                    """)
            }
            let late = try await guest.session()
            let body = try guest.evidence(late.nonce)
            let refused = try await guest.attest(late, body)
            #expect(refused.status == 503 && refused.keyBrokerError == "PluginInternalError", "\(refused.text)")
            #expect(refused.header("Retry-After") == "60" && refused.text.contains("Too many sessions"))
            #expect(try await Self.sessionCount(scene) == 65_536)
            #expect(try await guest.attest(known, "{}").json["token"]?.string == token)
            #expect(try guest.open(await guest.resource(session: known)) == KeyBrokerScene.secret)
            // When the others end there is room, and the attempt that was refused for the want of it was not used up.
            for clock in [scene.broker.clock, scene.verifier.clock] { clock.advance(by: 201) }
            let answer = try await guest.attest(late, body)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(try await Self.sessionCount(scene) == 2)
        }
    }

    @Test("Of several attempts at once on one session one counts, and nobody gets another token") func race()
        async throws
    {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            for _ in 0..<4 {
                let session = try await guest.session()
                let bodies = try (0..<8).map { _ in try guest.evidence(session.nonce) }
                let before = try await scene.entries().filter { $0.kind == "kbs-attestation" }.count
                let answers = try await withThrowingTaskGroup(of: ServiceClient.Answer.self) { group in
                    for body in bodies { group.addTask { try await guest.attest(session, body) } }
                    return try await group.reduce(into: [ServiceClient.Answer]()) { $0.append($1) }
                }
                let tokens = try answers.filter { $0.status == 200 }.map { try $0.json["token"]?.string }
                #expect(!tokens.isEmpty && Set(tokens).count == 1)
                for answer in answers where answer.status != 200 {
                    #expect(answer.status == 401 && answer.keyBrokerError == "AttestationError", "\(answer.text)")
                }
                let entries = try await scene.entries().filter { $0.kind == "kbs-attestation" }
                #expect(entries.count == before + 1)
            }
        }
    }

    @Test("One machine's evidence is worth nothing in another's session, nor its quote beside another's key")
    func others() async throws {
        try await KeyBrokerScene.run { scene, client in
            let other = try SimulatedTPM()
            try await SimulatedMachine(other, named: "node-2", scene.office).enrol(
                administrator: scene.verifier.administrator)
            let guest = try KeyBrokerClient(client, scene.tpm), thief = try KeyBrokerClient(client, other)
            // Evidence of the one, for its own nonce, in the other's session.
            let ours = try await guest.session(), theirs = try await thief.session()
            let crossed = try await thief.attest(theirs, guest.evidence(ours.nonce))
            #expect(crossed.status == 401 && crossed.text.contains("another than this session's"), "\(crossed.text)")
            // The guest's key and nonce, with a quote of the thief's TPM about the thief's own key.
            let session = try await thief.session()
            let quoted = try thief.evidence(session.nonce)
            let named = try guest.evidence(session.nonce)
            let from = try #require(quoted.range(of: "\"tee-evidence\"")).lowerBound
            let until = try #require(named.range(of: "\"tee-evidence\"")).lowerBound
            let mixed = try await thief.attest(session, String(named[..<until] + quoted[from...]))
            #expect(mixed.status == 401 && mixed.text.contains("another challenge"), "\(mixed.text)")
            // Whoever steals a cookie attests himself, and gets what is encrypted to his own key; the guest finds its session used.
            let stolen = try await guest.session()
            #expect(try await thief.attest(stolen, thief.evidence(stolen.nonce)).status == 200)
            let answer = try await guest.resource(session: stolen)
            #expect(throws: (any Error).self) { try guest.open(answer) }
            #expect(try thief.open(answer) == KeyBrokerScene.secret)
            #expect(try await guest.attest(ours, guest.evidence(ours.nonce)).status == 200)
        }
    }

    @Test("A cookie that was cut, lengthened, changed in any digit or made up is none, and uses nothing up")
    func cookies() async throws {
        try await KeyBrokerScene.run { scene, client in
            let guest = try KeyBrokerClient(client, scene.tpm)
            let open = try await guest.session()
            let (attested, _) = try await guest.attested()
            for session in [open, attested] {
                let value = Array(session.cookie.dropFirst("kbs-session-id=".count))
                #expect(value.count == 80)
                var spoilt = (0..<80).map { index in
                    var other = value
                    other[index] = value[index] == "0" ? "1" : "0"
                    return String(other)
                }
                spoilt += [0, 1, 32, 48, 79].map { String(value.prefix($0)) }
                spoilt += [String(value) + "0", String(value) + "00", " " + String(value), "\"\(String(value))\""]
                spoilt.append(String(repeating: "f", count: 80))
                spoilt.append(Hexadecimal.encode([UInt8](repeating: 0x5A, count: 40)))
                for text in spoilt {
                    let forged = KeyBrokerClient.Session(cookie: "kbs-session-id=" + text, nonce: session.nonce)
                    let attempt = try await guest.attest(forged, "{}")
                    #expect(attempt.status == 401 && attempt.keyBrokerError == "AttestationError", "\(text)")
                    let resource = try await guest.resource(session: forged)
                    #expect(resource.status == 401 && resource.keyBrokerError == "TokenNotFound", "\(text)")
                }
            }
            #expect(try await guest.attest(open, guest.evidence(open.nonce)).status == 200)
            #expect(try await guest.resource(session: attested).status == 200)
        }
    }
}

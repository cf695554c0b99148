import CarnetService
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@Suite struct SecrecyTests {
    @Test("At its most talkative, the log holds no nonce, token, secret, session or key") func log() async throws {
        let verifier = try verifierWithPolicy()
        let secrets = try await verifier.run { client -> [String] in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let admin = try verifier.administrator
            let digest = Hexadecimal.encode(try machine.tpm.fingerprint)
            _ = try await client.send(.post, "/admin/v1/endorsement-keys", token: admin, #"{"sha256":"\#(digest)"}"#)
            let invitation = try machine.open(await machine.begin())
            _ = try await machine.activate(invitation)
            let vault = try await verifier.token(.relyingParty, named: "vault", client)
            let session = try await machine.session("?nonce=" + Base64URL.encode([UInt8](repeating: 5, count: 32)))
            let passport = try #require(try await machine.answer(session).json["result"]?.string)
            let wrong = try await machine.session()
            _ = try await machine.answer(wrong) { $0.nonce[0] ^= 1 }
            _ = try await client.call(.get, "/background-check/v1/requirements", token: vault)
            _ = try await client.call(.get, "/background-check/v1/requirements", token: "carnet-guess.guess")
            return [
                String(admin.drop { $0 != "." }), String(vault.drop { $0 != "." }), passport,
                String(passport.split(separator: ".")[2]), Base64URL.encode(session.nonce),
                Base64URL.encode(wrong.nonce),
                Base64URL.encode([UInt8](repeating: 5, count: 32)), Base64URL.encode(invitation.nonce),
                Base64URL.encode(invitation.secret), Hexadecimal.encode(invitation.secret),
                Hexadecimal.encode(session.nonce), String(session.path.suffix(40)), "guess.guess",
            ]
        }
        let log = verifier.log.text.joined()
        #expect(log.contains("\"outcome\":\"affirming\"") && log.contains("node enrolled"))
        for (index, secret) in secrets.enumerated() { #expect(!log.contains(secret), "secret \(index)") }
        let key = try String(contentsOfFile: verifier.folder + "/key-encryption-key", encoding: .utf8)
        #expect(!log.contains(key.dropLast()))
    }

    @Test("The database holds no token, nonce or key in the clear") func database() async throws {
        let verifier = try verifierWithPolicy()
        let secrets = try await verifier.run { client -> [[UInt8]] in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let session = try await machine.session()
            let passport = try #require(try await machine.answer(session).json["result"]?.string)
            let secret = try verifier.administrator.drop { $0 != "." }.dropFirst()
            return [
                Array(passport.utf8.suffix(40)), session.nonce, Array(Base64URL.encode(session.nonce).utf8),
                Array(secret.utf8), try #require(Base64URL.decode(secret)),
            ]
        }
        let files = try await verifier.database.content()
        #expect(files.count > 4096)
        for (index, secret) in secrets.enumerated() { #expect(files.range(of: Data(secret)) == nil, "secret \(index)") }
    }
}

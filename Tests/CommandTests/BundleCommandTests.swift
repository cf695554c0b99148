import CarnetResult
import CarnetTesting
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// From the key to a refusal, as an operator and a machine without network do it.
@Suite("carnet bundle", .timeLimit(.minutes(5)))
struct BundleCommandTests {
    @Test("Key, make, check, verify, renew with another key, and no way back")
    func life() async throws {
        let carnet = Program("carnet"), folder = try TemporaryDirectory(), forge = try TokenForge()
        let now = Int64(Date().timeIntervalSince1970)
        let jwks = try folder.write(forge.keySet, "jwks.json")
        let passport = try folder.write(forge.signingKey.mint(forge.result(issuedAt: now)), "passport.jwt")
        func file(_ name: String) -> String { folder.path + "/" + name }
        func key(_ name: String) async throws -> String {
            let ending = try await carnet.run(["bundle", "key", "--out", file(name)])
            #expect(ending.status == 0)
            let mode = try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
            #expect(mode == 0o600)
            return ending.text.filter { !$0.isWhitespace }
        }
        let root = try await key("old.key"), next = try await key("new.key")
        let made = try await carnet.run([
            "bundle", "make", "--key", file("old.key"), "--name", "urn:demo", "--issuer", "https://verifier.example",
            "--jwks", jwks, "--depth", "event-log", "--out", file("1"),
        ])
        #expect(made.status == 0, "\(made.errors)")
        let state = ["--bundle-state", file("state")], audience = ["--audience", "https://service.example"]
        let check = try await carnet.run(["bundle", "check", file("1"), "--root-key", root, "--json"] + state)
        let report = try JSONDocument(parsing: check.output, maximumByteCount: 65_536).root
        #expect(check.status == 0 && report["sequence"]?.integer == 1 && report["verified"]?.boolean == true)
        let shown = try await carnet.run(["bundle", "show", file("1")])
        #expect(shown.status == 0 && shown.text.contains("not checked"))

        let accepted = try await carnet.run(["verify", passport, "--bundle", file("1")] + state + audience)
        #expect(accepted.status == 0 && accepted.text.contains("Accepted"), "\(accepted.errors)")
        let deeper = try await carnet.run(
            ["verify", passport, "--bundle", file("1"), "--depth", "event-log+ima"] + state + audience)
        #expect(deeper.status == 1)
        let foreign = try await carnet.run(["verify", passport, "--bundle", file("1"), "--root-key", next] + audience)
        #expect(foreign.status == 1 && foreign.errors.contains("untrusted-signer"))

        let renewed = try await carnet.run([
            "bundle", "renew", file("1"), "--key", file("old.key"), "--next-key", next, "--out", file("2"),
        ])
        #expect(renewed.status == 0, "\(renewed.errors)")
        let stale = try await carnet.run(["bundle", "renew", file("2"), "--key", file("old.key"), "--out", file("x")])
        #expect(stale.status == 1)
        let third = try await carnet.run(["bundle", "renew", file("2"), "--key", file("new.key"), "--out", file("3")])
        #expect(third.status == 0, "\(third.errors)")
        let jump = try await carnet.run(["verify", passport, "--bundle", file("3")] + state + audience)
        #expect(jump.status == 0, "\(jump.errors)")
        let back = try await carnet.run(["verify", passport, "--bundle", file("2")] + state + audience)
        #expect(back.status == 1 && back.errors.contains("rollback"))
        let garbage = try await carnet.run(["bundle", "check", jwks, "--root-key", root])
        #expect(garbage.status == 2)
        let missing = try await carnet.run(["bundle", "check", "/no/such/file", "--root-key", root])
        #expect(missing.status == 3 && missing.errors.contains("/no/such/file"))
    }
}

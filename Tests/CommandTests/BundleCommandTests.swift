import CarnetResult
import CarnetTesting
import Fixtures
import Foundation
import ServiceHarness
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
        let unsaid = try await carnet.run(["bundle", "renew", file("2"), "--key", file("new.key"), "--out", file("3")])
        #expect(unsaid.status == 1 && unsaid.errors.contains("--root-key"), "\(unsaid)")
        let third = try await carnet.run([
            "bundle", "renew", file("2"), "--key", file("new.key"), "--root-key", root, "--out", file("3"),
        ])
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

    @Test("renew carries nothing over from a file that somebody else began, even if it names our key")
    func substituted() async throws {
        let carnet = Program("carnet"), folder = try TemporaryDirectory(), forge = try TokenForge()
        let jwks = try folder.write(forge.keySet, "jwks.json")
        func file(_ name: String) -> String { folder.path + "/" + name }
        var thumbprints: [String] = []
        for name in ["ours.key", "theirs.key"] {
            let ending = try await carnet.run(["bundle", "key", "--out", file(name)])
            thumbprints.append(ending.text.filter { !$0.isWhitespace })
        }
        let theirs = try await carnet.run([
            "bundle", "make", "--key", file("theirs.key"), "--name", "urn:demo", "--issuer", "https://evil.example",
            "--jwks", jwks, "--next-key", thumbprints[0], "--out", file("1"),
        ])
        #expect(theirs.status == 0, "\(theirs.errors)")
        let renewed = try await carnet.run([
            "bundle", "renew", file("1"), "--key", file("ours.key"), "--out", file("2"),
        ])
        #expect(renewed.status == 1 && renewed.errors.contains("--root-key"), "\(renewed)")
        #expect(!FileManager.default.fileExists(atPath: file("2")))
    }

    @Test("make and renew fetch keys and lists from a verifier, and only lists of the issuer")
    func fetching() async throws {
        let carnet = Program("carnet"), folder = try TemporaryDirectory(), forge = try TokenForge()
        let issuer = "https://verifier.example", list = issuer + "/status-lists/1"
        let now = Int64(Date().timeIntervalSince1970)
        let key = folder.path + "/bundle.key", first = folder.path + "/1", second = folder.path + "/2"
        let root = try await carnet.run(["bundle", "key", "--out", key]).text.filter { !$0.isWhitespace }
        let page = ScriptedIssuer()
        page.change { $0.keySet = forge.keySet }
        try await page.run { base in
            let source = ["--verifier", base, "--plain-http"]
            let make = ["bundle", "make", "--key", key, "--name", "urn:demo", "--issuer", issuer] + source
            let made = try await carnet.run(make + ["--out", first])
            #expect(made.status == 0, "\(made.errors)")
            let withdrawn = try forge.statusList(list, issuedAt: now, expiresAt: now + 3600, [3: .invalid])
            page.change { $0.lists["1"] = withdrawn }
            let renewed = try await carnet.run(["bundle", "renew", first, "--key", key, "--out", second] + source)
            #expect(renewed.status == 0, "\(renewed.errors)")
            // The environment says the same; files go before it.
            let environment = ["CARNET_VERIFIER": base, "CARNET_PLAIN_HTTP": "1"], third = folder.path + "/3"
            let again = ["bundle", "renew", first, "--key", key, "--out", third]
            let quiet = try await carnet.run(again, environment: environment)
            #expect(quiet.status == 0 && quiet.text.contains(list), "\(quiet)")
            let jwks = try folder.write(forge.keySet, "jwks.json")
            let filed = try await carnet.run(again + ["--jwks", jwks], environment: environment)
            #expect(filed.status == 0 && !filed.text.contains(list), "\(filed)")
            let plain = try await carnet.run(again, environment: ["CARNET_VERIFIER": base])
            #expect(plain.status == 2 && plain.errors.contains("http"), "\(plain)")
            let firstEver = ["bundle", "make", "--key", key, "--name", "urn:demo", "--issuer", issuer, "--out", third]
            #expect(try await carnet.run(firstEver, environment: environment).status == 0)
            for (index, refusal) in [(3, "(revoked)"), (4, "")] {
                let token = try forge.signingKey.mint(
                    forge.result(issuedAt: now, statusReference: StatusReference(uri: list, index: index)))
                let passport = try folder.write(token, "passport-\(index).jwt")
                let verify = ["verify", passport, "--root-key", root, "--audience", "https://service.example"]
                let unknown = try await carnet.run(verify + ["--bundle", first])
                #expect(unknown.status == 1 && unknown.errors.contains("status-unknown"), "\(unknown)")
                let known = try await carnet.run(verify + ["--bundle", second])
                #expect(known.status == (refusal.isEmpty ? 0 : 1), "\(known)")
                #expect(refusal.isEmpty || known.errors.contains(refusal), "\(known)")
            }
            for name in ["https://evil.example/status-lists/1", issuer + "/../x", issuer + ".evil/status-lists/1"] {
                page.change { $0.names = Array("{\"status_lists\":[\"\(name)\"]}".utf8) }
                let foreign = try await carnet.run(make)
                #expect(foreign.status == 1 && foreign.errors.contains("not of the issuer"), "\(name): \(foreign)")
            }
            page.change { $0.fails = true }
            let silent = try await carnet.run(make)
            #expect(silent.status != 0 && silent.output.isEmpty)
        }
    }
}

import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// What stays, what is replaced, and what is refused when a bundle is renewed.
@Suite("carnet bundle renew", .timeLimit(.minutes(5)))
struct BundleRenewalTests {
    @Test("Times and every demand stay until another is given; one is dropped by its name alone")
    func terms() async throws {
        let desk = try await BundleDesk()
        let made = try await desk.make([
            "--days", "3", "--grace-days", "2", "--depth", "event-log", "--maximum-age", "120", "--policy-id", "a",
            "--policy-id", "b", "--key-protection", "tpm", "--maximum-status-age", "60",
        ])
        #expect(made.status == 0, "\(made.errors)")
        #expect(try await desk.renew("1", to: "2", ["--tier", "warning"]).status == 0)
        let two = try await desk.report("2"), minimum = two["minimum"]
        #expect((two["expiresAt"]?.integer ?? 0) - (two["issuedAt"]?.integer ?? 0) == 3 * 86_400)
        #expect(two["grace"]?.integer == 172_800)
        #expect(minimum?["tier"]?.string == "warning" && minimum?["depth"]?.string == "event-log")
        #expect(minimum?["maximumAge"]?.integer == 120 && minimum?["maximumStatusAge"]?.integer == 60)
        #expect(minimum?["keyProtection"]?.string == "tpm" && minimum?.strings("policyIDs") == ["a", "b"])
        let renewed = try await desk.renew(
            "2", to: "3", ["--drop-minimum", "depth", "--drop-minimum", "policy-id", "--days", "5"])
        #expect(renewed.status == 0, "\(renewed.errors)")
        let three = try await desk.report("3")
        #expect(three["minimum"]?["depth"] == nil && three["minimum"]?.strings("policyIDs") == [])
        #expect(three["minimum"]?["maximumAge"]?.integer == 120 && three["grace"]?.integer == 172_800)
        #expect((three["expiresAt"]?.integer ?? 0) - (three["issuedAt"]?.integer ?? 0) == 5 * 86_400)
        let both = try await desk.renew("3", to: "4", ["--drop-minimum", "tier", "--tier", "affirming"])
        #expect(both.status == 2 && both.errors.contains("opposite"), "\(both)")
        #expect(try await desk.renew("3", to: "4", ["--drop-minimum", "everything"]).status == 2)
    }

    @Test("Each source replaces what it names: next keys become current, lists stay while a key signs them")
    func sources() async throws {
        let desk = try await BundleDesk(), second = try TokenForge(), third = try TokenForge()
        func keySet(_ forges: [TokenForge], _ name: String) throws -> String {
            let keys = Dictionary(uniqueKeysWithValues: forges.map { ($0.signingKey.keyID, $0.signingKey.publicKey) })
            return try desk.folder.write(JSONWebKeySet(keys).bytes, name)
        }
        func issuer(_ bundle: String) async throws -> JSONNode? {
            try await desk.report(bundle)["issuers"]?.elements?.first
        }
        #expect(try await desk.make().status == 0)
        let next = ["--next-jwks", try keySet([second, third], "next.json")]
        #expect(try await desk.renew("1", to: "2", next).status == 0)
        #expect(try await issuer("2")?.strings("nextKeys").count == 2)
        let list = ["--status-list", try desk.statusList("list.jwt")]
        #expect(try await desk.renew("2", to: "3", list).status == 0)
        let three = try await issuer("3")
        #expect(three?["statusLists"]?.elements?.first?["name"]?.string == BundleDesk.list)
        #expect(three?.strings("nextKeys").count == 2 && three?.strings("keys") == [desk.forge.signingKey.keyID])

        let both = ["--jwks", try keySet([desk.forge, second], "both.json")]
        #expect(try await desk.renew("3", to: "4", both).status == 0)
        let four = try await issuer("4")
        #expect(four?.strings("keys").count == 2 && four?.strings("nextKeys") == [third.signingKey.keyID])
        #expect(four?["statusLists"]?.elements?.count == 1)
        let rotated = try await desk.renew("4", to: "5", ["--jwks", try keySet([second], "second.json")])
        #expect(rotated.status == 0 && rotated.text.contains("left out"), "\(rotated)")
        let five = try await issuer("5")
        #expect(five?["statusLists"]?.elements?.isEmpty == true)
        #expect(five?.strings("nextKeys") == [third.signingKey.keyID])
        // What is given and does not fit is refused.
        let stale = try await desk.renew("5", to: "6", list)
        #expect(stale.status == 1 && stale.errors.contains("list.jwt"), "\(stale)")
    }

    @Test("Several issuers keep their order; which one is meant must be said; one can be taken out, but not the last")
    func issuers() async throws {
        let desk = try await BundleDesk(), other = try TokenForge(), name = "https://second.example"
        let keys = try desk.folder.write(other.keySet, "second.json")
        func names(_ bundle: String) async throws -> [String] {
            try await desk.report(bundle)["issuers"]?.elements?.compactMap { $0["issuer"]?.string } ?? []
        }
        #expect(try await desk.make().status == 0)
        let alone = try await desk.renew("1", to: "2", ["--issuer", name])
        #expect(alone.status == 2 && alone.errors.contains("--jwks"), "\(alone)")
        let keyless = try await desk.renew("1", to: "2", ["--issuer", name, "--next-jwks", keys])
        #expect(keyless.status == 1 && keyless.errors.contains(name), "\(keyless)")
        let added = try await desk.renew("1", to: "2", ["--issuer", name, "--jwks", keys])
        #expect(added.status == 0 && added.text.contains("is new"), "\(added)")
        let unsaid = try await desk.renew("2", to: "3", ["--jwks", desk.jwks])
        #expect(unsaid.status == 2 && unsaid.errors.contains("--issuer") && unsaid.errors.contains(name), "\(unsaid)")
        let update = ["--issuer", BundleDesk.issuer, "--jwks", desk.jwks]
        #expect(try await desk.renew("2", to: "3", update).status == 0)
        #expect(try await names("3") == [BundleDesk.issuer, name])
        #expect(try await desk.renew("3", to: "4", ["--remove-issuer", BundleDesk.issuer]).status == 0)
        #expect(try await names("4") == [name])
        let last = try await desk.renew("4", to: "5", ["--remove-issuer", name])
        #expect(last.status == 1 && last.errors.contains("No issuer would be left"), "\(last)")
        let absent = try await desk.renew("4", to: "5", ["--remove-issuer", BundleDesk.issuer])
        #expect(absent.status == 1 && absent.errors.contains(name), "\(absent)")
        let passport = try desk.folder.write(
            desk.forge.signingKey.mint(desk.forge.result(issuedAt: BundleDesk.now)), "passport.jwt")
        let whose = try await desk.run([
            "verify", passport, "--bundle", desk.file("3"), "--root-key", desk.root, "--audience",
            "https://service.example",
        ])
        #expect(whose.status == 2 && whose.errors.contains("--issuer"), "\(whose)")
    }

    @Test("One issuer at a time, and only its own lists")
    func refused() async throws {
        let desk = try await BundleDesk(), other = try TokenForge()
        for option in ["--issuer", "--jwks", "--next-jwks"] {
            let twice = try await desk.make([option, desk.jwks, option, desk.jwks])
            #expect(twice.status == 2 && twice.errors.contains("renew --issuer"), "\(twice)")
        }
        let foreign = try await desk.make(["--status-list", try desk.statusList("f", uri: "https://evil.example/1")])
        #expect(foreign.status == 1 && foreign.errors.contains("not of the issuer"), "\(foreign)")
        let near = try await desk.make(["--status-list", try desk.statusList("n", uri: BundleDesk.issuer + ".evil/1")])
        #expect(near.status == 1 && near.errors.contains("not of the issuer"), "\(near)")
        let unsigned = try await desk.make(["--status-list", try desk.statusList("u", by: other)])
        #expect(unsigned.status == 1 && unsigned.errors.contains(BundleDesk.issuer), "\(unsigned)")
        let list = try desk.statusList("l")
        let twice = try await desk.make(["--status-list", list, "--status-list", list])
        #expect(twice.status == 1 && twice.errors.contains("already"), "\(twice)")
        #expect(try await desk.make(source: ["--issuer", BundleDesk.issuer]).status == 2)
        #expect(try await desk.make(source: ["--jwks", desk.jwks]).status == 2)
        #expect(!FileManager.default.fileExists(atPath: desk.file("1")))
    }

    @Test("A thumbprint that begins with a hyphen is a value, and no option")
    func hyphen() async throws {
        let desk = try await BundleDesk()
        var key = try PrivateKey.generate()
        while try !SigningKey(key).keyID.hasPrefix("-") { key = try PrivateKey.generate() }
        let thumbprint = try SigningKey(key).keyID, file = try desk.folder.write(key.pkcs8, "hyphen.key")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        let make = ["--key", file, "--next-key", thumbprint, "--next-key", desk.root]
        let made = try await desk.make(make)
        #expect(made.status == 0, "\(made.errors)")
        let check = try await desk.run(["bundle", "check", desk.file("1"), "--root-key", thumbprint])
        #expect(check.status == 0 && check.text.contains(desk.root), "\(check.errors)")
    }

    @Test("A state that a machine remembers is an anchor too")
    func state() async throws {
        let desk = try await BundleDesk(), state = desk.file("state")
        _ = try await desk.run(["bundle", "key", "--out", desk.file("new.key")])
        let next = try await desk.run(["bundle", "key", "--show", desk.file("new.key")]).text.filter {
            !$0.isWhitespace
        }
        #expect(try await desk.make(["--next-key", next]).status == 0)
        let remember = ["bundle", "check", desk.file("1"), "--root-key", desk.root, "--bundle-state", state]
        #expect(try await desk.run(remember).status == 0)
        let renew = ["bundle", "renew", desk.file("1"), "--key", desk.file("new.key"), "--out", desk.file("2")]
        #expect(try await desk.run(renew).status == 1)
        let renewed = try await desk.run(renew + ["--bundle-state", state])
        #expect(renewed.status == 0, "\(renewed.errors)")
        #expect(try await desk.run(["bundle", "check", desk.file("2"), "--bundle-state", state]).status == 0)
        let back = try await desk.run(renew + ["--bundle-state", state])
        #expect(back.status == 1 && back.errors.contains("rollback"), "\(back)")
    }
}

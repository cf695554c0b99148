import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// The files of bundles and their keys, what is told about them, and what machines do with them.
@Suite("Bundles as files", .timeLimit(.minutes(5)))
struct BundleFileTests {
    @Test("A key is never overwritten, is shown again, and is not used while others can read it")
    func keys() async throws {
        let desk = try await BundleDesk(), before = try desk.bytes("bundle.key")
        let again = try await desk.run(["bundle", "key", "--out", desk.key])
        #expect(again.status == 1 && again.output.isEmpty && again.errors.contains("--show"), "\(again)")
        #expect(try desk.bytes("bundle.key") == before)
        let shown = try await desk.run(["bundle", "key", "--show", desk.key])
        #expect(shown.status == 0 && shown.text == desk.root + "\n", "\(shown)")
        #expect(try await desk.run(["bundle", "key"]).status == 2)
        #expect(try await desk.run(["bundle", "key", "--out", desk.file("a"), "--show", desk.key]).status == 2)
        #expect(try await desk.run(["bundle", "key", "--out", "-"]).status == 2)
        #expect(try await desk.make().status == 0)
        for mode in [0o640, 0o604, 0o620] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: desk.key)
            for words in [
                ["bundle", "key", "--show", desk.key],
                ["bundle", "renew", desk.file("1"), "--key", desk.key, "--out", desk.file("2")],
            ] {
                let ending = try await desk.run(words)
                #expect(ending.status == 1 && ending.errors.contains("chmod 600"), "\(ending)")
            }
        }
    }

    @Test("A bundle's file is public, holds the token alone, and is what the SDK reads; so is what it leaves behind")
    func files() async throws {
        let desk = try await BundleDesk()
        #expect(try await desk.make().status == 0)
        #expect(try desk.mode("1") == 0o644 && desk.mode("bundle.key") == 0o600)
        let bundle = try TrustBundle(
            parsing: desk.bytes("1"), trusting: BundleTrust(rootKey: desk.root), at: BundleDesk.now)
        let check = ["bundle", "check", desk.file("1"), "--root-key", desk.root, "--bundle-state", desk.file("state")]
        #expect(try await desk.run(check).status == 0)
        #expect(try BundleTrust(parsing: desk.bytes("state")) == bundle.trust)
        #expect(try desk.bytes("state") == bundle.trust.bytes)
        let printed = try await desk.run([
            "bundle", "make", "--key", desk.key, "--name", "urn:demo", "--issuer", BundleDesk.issuer, "--jwks",
            desk.jwks,
        ])
        #expect(printed.status == 0 && printed.output.last == 0x0A && printed.errors.contains("status-unknown"))
        #expect(throws: Never.self) { try UnverifiedBundle(parsing: Array(printed.output.dropLast())) }
    }

    @Test("make, renew, show and check tell all: keys, lists and their times, demands, and how long lists count")
    func reports() async throws {
        let desk = try await BundleDesk(), next = try TokenForge()
        let more = [
            "--next-jwks", try desk.folder.write(next.keySet, "next.json"), "--depth", "event-log", "--policy-id",
            "p@x",
            "--status-list", try desk.statusList("list.jwt", age: 7200),
        ]
        let made = try await desk.make(more), renewed = try await desk.renew("1", to: "2")
        let shown = try await desk.run(["bundle", "show", desk.file("2")])
        let checked = try await desk.run(["bundle", "check", desk.file("2"), "--root-key", desk.root])
        for ending in [made, renewed, shown, checked] {
            #expect(ending.status == 0, "\(ending.errors)")
            for word in [
                BundleDesk.list, desk.forge.signingKey.keyID, next.signingKey.keyID, "next key", "depth event-log",
                "p@x", "2 hours ago", "counted until", "status-unknown", "--status-where-listed",
            ] { #expect(ending.text.contains(word), "\(word): \(ending.text)") }
        }
        let json = try await desk.make(more + ["--json"], out: "3")
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
        #expect(json.status == 0 && root["file"]?.string == desk.file("3") && root["sequence"]?.integer == 1)
        let list = root["issuers"]?.elements?.first?["statusLists"]?.elements?.first
        #expect(list?["name"]?.string == BundleDesk.list && list?["expiresAt"]?.integer != nil)
        #expect(root["minimum"]?["depth"]?.string == "event-log" && root.strings("notes").count == 1)
        #expect(try await desk.renew("1", to: "4", ["--json"]).output.first == UInt8(ascii: "{"))
        #expect(try await desk.renew("1", to: "4", ["--json", "--out", "-"]).status == 2)
    }

    @Test("Three choices for a machine without network, of which the bundle's minimum policy can leave one")
    func choices() async throws {
        let desk = try await BundleDesk()
        func passport(_ index: Int, _ uri: String) throws -> String {
            let reference = StatusReference(uri: uri, index: index)
            let token = try desk.forge.signingKey.mint(
                desk.forge.result(issuedAt: BundleDesk.now, statusReference: reference))
            return try desk.folder.write(token, "passport-\(index)-\(uri.suffix(1)).jwt")
        }
        let list = ["--status-list", try desk.statusList("list.jwt", age: 4000)]
        #expect(try await desk.make(list).status == 0)
        #expect(try await desk.make(list + ["--maximum-status-age", "600"], out: "strict").status == 0)
        func verify(_ passport: String, _ more: [String] = [], bundle: String = "1") async throws -> Program.Ending {
            try await desk.run(
                [
                    "verify", passport, "--bundle", desk.file(bundle), "--root-key", desk.root, "--audience",
                    "https://service.example",
                ] + more)
        }
        let good = try passport(0, BundleDesk.list), withdrawn = try passport(3, BundleDesk.list)
        let later = try passport(3, BundleDesk.issuer + "/status-lists/2"), whereListed = ["--status-where-listed"]
        for (passport, code) in [(good, "status-stale"), (withdrawn, "status-stale"), (later, "status-unknown")] {
            let plain = try await verify(passport)
            #expect(
                plain.status == 1 && plain.errors.contains(code) && plain.errors.contains("newer bundle"), "\(plain)")
            let strict = try await verify(passport, whereListed, bundle: "strict")
            #expect(strict.status == 1 && strict.errors.contains(code), "\(strict)")
            #expect(try await verify(passport, ["--skip-status"]).status == 0)
        }
        let revoked = try await verify(withdrawn, whereListed)
        #expect(revoked.status == 1 && revoked.errors.contains("(revoked)"), "\(revoked)")
        for (passport, reason) in [(good, "minutes old"), (later, "not at hand")] {
            let ending = try await verify(passport, whereListed)
            #expect(ending.status == 0 && ending.text.contains("is NOT known: "), "\(ending)")
            #expect(ending.text.contains(reason), "\(ending)")
        }
        let url = "https://service.example/1", token = try desk.bytes("passport-3-2.jwt")
        let proof = try desk.forge.proof(
            for: ProvenRequest(method: "POST", uri: url), showing: token, issuedAt: BundleDesk.now)
        let granted = try await desk.run(
            [
                "grant", later, "--bundle", desk.file("1"), "--root-key", desk.root, "--audience",
                "https://service.example", "--proof", try desk.folder.write(proof, "proof.jwt"), "--method", "POST",
                "--url", url, "--secret", desk.jwks, "--out", desk.file("jwe"),
            ] + whereListed)
        #expect(granted.status == 0 && granted.errors.contains("is NOT known"), "\(granted)")
        #expect(try desk.bytes("jwe").last != 0x0A)
        let json = try await verify(later, whereListed + ["--json"])
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
        #expect(root["revocation"]?.string == "unknown" && root["statusAge"] == nil)
        let known = try await verify(good, ["--maximum-status-age", "5000", "--json"])
        #expect(known.text.contains(#""revocation" : "valid""#), "\(known)")
        #expect(try await verify(good, whereListed + ["--skip-status"]).status == 2)
        #expect(try await verify(good, whereListed + ["--require-status"]).status == 2)
    }

    @Test("Every refusal of a bundle says what to do, and times in words")
    func refusals() async throws {
        let desk = try await BundleDesk(), now = BundleDesk.now, key = try SigningKey(.generate())
        func bundle(_ file: String, age: Int64, name: String = "urn:a") throws -> String {
            let issuer = BundledIssuer(
                name: BundleDesk.issuer, currentKeys: try JSONWebKeySet(parsing: desk.forge.keySet))
            let content = BundleContent(
                issuedAt: now - age - 86_400, expiresAt: now - age, grace: 86_400, issuers: [issuer])
            return try desk.folder.write(key.sign(content, named: name), file)
        }
        func check(_ file: String, _ more: [String] = []) async throws -> Program.Ending {
            try await desk.run(["bundle", "check", file, "--root-key", key.keyID] + more)
        }
        let old = try await check(try bundle("old", age: 8 * 86_400 + 5))
        #expect(old.status == 1 && old.errors.contains("8 days ago") && old.errors.contains("next bundle"), "\(old)")
        let early = try await check(try bundle("early", age: -8 * 86_400))
        #expect(early.status == 1 && early.errors.contains("clock"), "\(early)")
        let good = try bundle("good", age: -3600), state = ["--bundle-state", desk.file("state")]
        #expect(try await check(good, state).status == 0)
        let fork = try await check(try bundle("fork", age: -7200), state)
        #expect(fork.status == 1 && fork.errors.contains("(fork)") && fork.errors.contains("Ask its maker"), "\(fork)")
        let name = try await check(try bundle("name", age: -3600, name: "urn:b"), state)
        #expect(name.status == 1 && name.errors.contains("(name)") && name.errors.contains("Give a bundle"), "\(name)")
        let stranger = try await desk.run(["bundle", "check", good, "--root-key", desk.root])
        #expect(stranger.status == 1 && stranger.errors.contains("thumbprint with its maker"), "\(stranger)")
        // A copy of the bundle that is remembered, changed where it can still be read, and where it cannot.
        let whole = try desk.bytes("good"), segments = whole.split(separator: UInt8(ascii: "."))
        let payload = String(decoding: try CompactJWS(parsing: whole).payload, as: UTF8.self)
        let other = Base64URL.encode(Array(payload.replacing(BundleDesk.issuer, with: "https://evil.example").utf8))
        let forged = Array(segments[0]) + Array(".\(other).".utf8) + Array(segments[2])
        let changed = try await check(try desk.folder.write(forged, "changed"), state)
        #expect(changed.status == 1 && changed.errors.contains("(signature)"), "\(changed)")
        #expect(changed.errors.contains("changed after it was signed") && changed.errors.contains("Copy the file"))
        let broken = Array(segments[0]) + Array(".\(Base64URL.encode(Array(payload.utf8.dropLast()))).".utf8)
        let damaged = try await check(try desk.folder.write(broken + Array(segments[2]), "damaged"))
        #expect(damaged.status == 2 && damaged.errors.contains("changed or damaged"), "\(damaged)")
    }
}

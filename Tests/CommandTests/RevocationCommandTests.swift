import CarnetTesting
import CarnetResult
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// `carnet status` and `carnet verify --status-list`, on files that a forge made.
@Suite("carnet status, verify --status-list", .timeLimit(.minutes(5)))
struct RevocationCommandTests {
    private static let uri = "https://verifier.example/status-lists/1"
    private let carnet = Program("carnet")
    private let folder: TemporaryDirectory
    private let keys: String
    private let list: String
    private let passports: [String]
    private let options: [String]

    init() throws {
        let folder = try TemporaryDirectory(), forge = try TokenForge(), now = Int64(Date().timeIntervalSince1970)
        self.folder = folder
        keys = try folder.write(forge.keySet, "jwks.json")
        list = try folder.write(
            forge.statusList(Self.uri, issuedAt: now - 7, expiresAt: now + 3600, [1: .invalid, 2: .suspended]),
            "list.jwt")
        passports = try (0..<3).map { index in
            let reference = StatusReference(uri: Self.uri, index: index)
            let token = try forge.signingKey.mint(forge.result(issuedAt: now, statusReference: reference))
            return try folder.write(token, "passport-\(index).jwt")
        }
        options = ["--jwks", keys, "--issuer", "https://verifier.example", "--audience", "https://service.example"]
    }

    @Test("verify looks passports up in the lists that it is given, and refuses what it cannot look up")
    func verify() async throws {
        let without = try await carnet.run(["verify", passports[0]] + options)
        #expect(without.status == 1 && without.errors.contains("status-unknown") && without.errors.contains(Self.uri))
        let good = try await carnet.run(["verify", passports[0], "--status-list", list] + options)
        #expect(good.status == 0 && good.text.contains("not withdrawn"), "\(good)")
        let json = try await carnet.run(["verify", passports[0], "--json", "--status-list", list] + options)
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
        #expect(root["statusAge"]?.integer.map { $0 >= 7 } == true)
        let revoked = try await carnet.run(["verify", passports[1], "--status-list", list] + options)
        #expect(revoked.status == 1 && revoked.errors.contains("(revoked)"), "\(revoked)")
        let suspended = try await carnet.run(["verify", passports[2], "--status-list", list] + options)
        #expect(suspended.status == 1 && suspended.errors.contains("(suspended)"), "\(suspended)")
        let skipped = try await carnet.run(["verify", passports[1], "--skip-status"] + options)
        #expect(skipped.status == 0 && skipped.text.contains("NOT checked"), "\(skipped)")
        let stale = try await carnet.run(
            ["verify", passports[0], "--status-list", list, "--maximum-status-age", "3"] + options)
        #expect(stale.status == 1 && stale.errors.contains("(status-stale)"), "\(stale)")
        let wrong = try await carnet.run(["verify", passports[0], "--status-list", passports[0]] + options)
        #expect(wrong.status == 2 && wrong.errors.contains("typ"), "\(wrong)")
    }

    @Test("status tells what a list says of itself, and what it says of a passport")
    func status() async throws {
        let shown = try await carnet.run(["status", list])
        #expect(shown.status == 0 && shown.text.contains(Self.uri) && shown.text.contains("not checked"), "\(shown)")
        let checked = try await carnet.run(["status", list, "--jwks", keys, "--json"])
        let root = try JSONDocument(parsing: checked.output, maximumByteCount: 65_536).root
        #expect(root["verified"]?.boolean == true && root["entries"]?.integer == 1024 && root["bits"]?.integer == 2)
        #expect(root["revoked"]?.integer == 1 && root["suspended"]?.integer == 1 && root["other"]?.integer == 0)
        let place = try await carnet.run(["status", passports[1]])
        #expect(place.status == 0 && place.text.contains(Self.uri), "\(place)")
        let found = try await carnet.run(["status", passports[1], "--list", list, "--jwks", keys])
        #expect(found.status == 0 && found.text.contains("revoked"), "\(found)")
        let stranger = try folder.write(try TokenForge().keySet, "other.json")
        #expect(try await carnet.run(["status", list, "--jwks", stranger]).status == 1)
        #expect(try await carnet.run(["status", list, "--list", list]).status == 2)
    }
}

import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// What a relying party does on a command line: look, check, grant.
@Suite("carnet inspect token, verify, grant", .timeLimit(.minutes(5)))
struct PassportCommandTests {
    private let carnet = Program("carnet"), folder: TemporaryDirectory, forge: TokenForge
    private let now = Int64(Date().timeIntervalSince1970), url = "https://service.example/secrets/1"
    private let token: [UInt8], passport: String, options: [String]

    init() throws {
        folder = try TemporaryDirectory()
        forge = try TokenForge()
        token = try forge.signingKey.mint(forge.result(issuedAt: now))
        passport = try folder.write(token + [0x0A], "passport.jwt")
        options = [
            "--jwks", try folder.write(forge.keySet, "jwks.json"), "--issuer", "https://verifier.example", "--audience",
            "https://service.example",
        ]
    }

    private func proof(by key: PrivateKey, for url: String) throws -> PossessionProof {
        try PossessionProof(
            for: ProvenRequest(method: "GET", uri: url), showing: token, key: JSONWebKey(key.publicKey), issuedAt: now
        ) { try key.ecdsaSignature(ofDigest: $0) }
    }

    @Test("A passport is shown for people and as JSON, from a file and from standard input")
    func inspect() async throws {
        let plain = try await carnet.run(["inspect", "token", passport])
        #expect(plain.status == 0 && plain.text.contains("affirming") && plain.text.contains("not verified"))
        let json = try await carnet.run(["inspect", "token", "-", "--json"], input: token)
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
        #expect(json.status == 0 && root["claims"]?["ear_status"]?.string == "affirming")
        #expect(root["header"]?["kid"]?.string == forge.signingKey.keyID)
    }

    @Test("A good passport is accepted, and the answer says whether possession was proven")
    func accepted() async throws {
        let plain = try await carnet.run(["verify", passport] + options)
        #expect(plain.status == 0 && plain.text.contains("Accepted") && plain.text.contains("NOT proven"))
        let file = try folder.write(proof(by: forge.holderKey, for: url).token, "proof.jwt")
        let request = ["--proof", file, "--method", "GET", "--url", url]
        let proven = try await carnet.run(["verify", passport, "--json"] + options + request)
        let root = try JSONDocument(parsing: proven.output, maximumByteCount: 65_536).root
        #expect(proven.status == 0 && root["accepted"]?.boolean == true && root["possessionProven"]?.boolean == true)
    }

    @Test("Everything that a passport lacks is explained, for people and as JSON")
    func explained() async throws {
        let good = try await carnet.run(["verify", passport, "--explain"] + options)
        #expect(good.status == 0 && good.text.contains("all that is demanded"))
        let demands = [
            "--depth", "event-log+ima", "--label", "rack=7", "--policy-digest", String(repeating: "F", count: 64),
        ]
        let plain = try await carnet.run(["verify", passport, "--explain"] + options + demands)
        #expect(plain.status == 1 && plain.text.contains("3 things") && plain.text.contains("node-label"), "\(plain)")
        let json = try await carnet.run(["verify", passport, "--explain", "--json"] + options + demands)
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
        #expect(json.status == 1 && root["isAccepted"]?.boolean == false && root["isAuthentic"]?.boolean == true)
        #expect(root["lacks"]?.elements?.map { $0["code"]?.string } == ["policy", "depth", "node-label"])
        for wrong in [["--label", "rack"], ["--label", "=7"], ["--profile", "tag:none"]] {
            #expect(try await carnet.run(["verify", passport] + options + wrong).status == 2, "\(wrong)")
        }
        let older = try await carnet.run(
            ["verify", passport, "--profile", "tag:github.com,2023:veraison/ear"] + options)
        #expect(older.status == 0)
    }

    @Test("A passport that is refused ends with status 1; the code and the next step are told, as text and as JSON")
    func refused() async throws {
        let expired = try folder.write(
            forge.signingKey.mint(forge.result(issuedAt: now - 4000)), "expired.jwt")
        let plain = try await carnet.run(["verify", expired] + options)
        #expect(plain.status == 1 && plain.output.isEmpty && plain.errors.contains("expired"), "\(plain)")
        let json = try await carnet.run(["verify", expired, "--json"] + options)
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
        #expect(json.status == 1 && root["accepted"]?.boolean == false && root["nextStep"]?.string?.isEmpty == false)
        #expect(root["code"]?.string == "expired")
        let stranger = try TokenForge()
        let foreign = try folder.write(stranger.signingKey.mint(stranger.result(issuedAt: now)), "foreign.jwt")
        let unknown = try await carnet.run(["verify", foreign] + options)
        #expect(unknown.status == 1 && !unknown.errors.isEmpty)
        let deep = try await carnet.run(["verify", passport, "--maximum-age", "1", "--policy-id", "other"] + options)
        #expect(deep.status == 1)
    }

    @Test("A secret is granted against a proof by the passport's key, to the encryption key, and against nothing else")
    func grant() async throws {
        let secret = try folder.write(Array("open sesame".utf8), "secret"), out = folder.path + "/secret.jwe"
        let grant = ["grant", passport, "--secret", secret, "--out", out] + options
        let unproven = try await carnet.run(grant)
        #expect(unproven.status == 1 && unproven.errors.contains("--proof"))
        let request = ["--method", "GET", "--url", url]
        let stolen = try folder.write(proof(by: PrivateKey.generate(), for: url).token, "stolen.jwt")
        let thief = try await carnet.run(grant + request + ["--proof", stolen])
        #expect(thief.status == 1 && !FileManager.default.fileExists(atPath: out))
        let elsewhere = try folder.write(proof(by: forge.holderKey, for: "https://x.example/").token, "elsewhere.jwt")
        #expect(try await carnet.run(grant + request + ["--proof", elsewhere]).status == 1)
        let made = try proof(by: forge.holderKey, for: url), file = try folder.write(made.token, "proof.jwt")
        let granted = try await carnet.run(grant + request + ["--proof", file])
        #expect(granted.status == 0 && granted.text.contains("Granted"), "\(granted)")
        #expect(try FileManager.default.attributesOfItem(atPath: out)[.posixPermissions] as? Int == 0o600)
        let message = try folder.read("secret.jwe").filter { $0 != 0x0A }
        let opened = try SecretMessage.open(message, recipientInfo: made.recipientInfo) {
            try forge.encryptionKey.sharedSecret(with: $0.publicKey())
        }
        #expect(opened == Array("open sesame".utf8))
        #expect(SecretMessage.recipientInfo(of: made.token, showing: token) == made.recipientInfo)
        #expect(SecretMessage.recipientInfo(of: Array("no.proof".utf8), showing: token) == nil)
    }

    @Test("What verify demands of single claims, and what it takes of other verifiers, is said on its command line")
    func demands() async throws {
        func ending(_ more: [String]) async throws -> (Int32, String) {
            let ending = try await carnet.run(["verify", passport] + options + more)
            return (ending.status, ending.errors)
        }
        for good in [
            ["--tier", "warning"], ["--floor", "executables=affirming"], ["--claim", "sub=\(subject)"],
            ["--submodule", "tpm"], ["--header-type", "jwt", "--tolerate-absent", "sub"],
        ] {
            let (status, errors) = try await ending(good)
            #expect(status == 0, "\(good): \(errors)")
        }
        for (refused, code) in [
            (["--floor", "storage-opaque=affirming"], "(vector)"), (["--claim", "sub=another"], "(custom-claim)"),
            (["--submodule", "gpu"], "(submodule)"), (["--maximum-lifetime", "60"], "(lifetime)"),
        ] {
            let (status, errors) = try await ending(refused)
            #expect(status == 1 && errors.contains(code), "\(refused): \(errors)")
        }
        for wrong in [
            ["--tier", "contraindicated"], ["--floor", "software=affirming"], ["--floor", "executables=none"],
            ["--claim", "sub"], ["--tolerate-absent", "submods"], ["--policy-digest", "abc"],
        ] {
            let (status, errors) = try await ending(wrong)
            #expect(status == 2 && errors.contains(wrong[0]) || errors.contains("submods"), "\(wrong): \(errors)")
        }
        let shown = try await carnet.run(["inspect", "token", passport])
        #expect(shown.text.contains("jti"))
    }

    private var subject: String { "urn:carnet:node:11111111-2222-3333-4444-555555555555" }
}

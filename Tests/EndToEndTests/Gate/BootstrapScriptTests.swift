import CarnetTesting
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// What a bootstrap script does for a cluster that is not Kubernetes: `carnet-agent attest --csr` on the node, `carnet admit` and
/// OpenSSL where the authority's key is.
@Suite("A node of any cluster gets its certificate by attestation", .serialized, .timeLimit(.minutes(6)))
struct BootstrapScriptTests {
    private struct Desk {
        let scene: NodeScene, known: [String]

        /// Fetches what the signer needs once, and nothing from the machine.
        init(_ scene: NodeScene) async throws {
            self.scene = scene
            let jwks = try scene.folder.write(try await scene.client.call(.get, "/.well-known/jwks.json").body, "jwks")
            var known = ["--jwks", jwks, "--issuer", VerifierUnderTest.issuer, "--audience", NodeScene.audience]
            let names = try await scene.client.call(.get, "/status-lists").json["status_lists"]?.elements ?? []
            for (index, name) in names.compactMap(\.string).enumerated() {
                let list = try await scene.client.call(.get, String(name.dropFirst(VerifierUnderTest.issuer.count)))
                known += ["--status-list", try scene.folder.write(list.body, "list-\(index)")]
            }
            self.known = known
        }

        func file(_ name: String) -> String { scene.folder.path + "/" + name }

        /// The node's step.
        func ask(_ words: [String] = [], node: String = NodeScene.node) async throws -> Program.Ending {
            try await scene.agent(
                [
                    "attest", "--audience", NodeScene.audience, "--key", file("node.key"), "--node", node, "--csr",
                    file("node.csr"),
                ] + words)
        }

        /// The signer's step: `0 allow`, or the exit status, the decision and its reason.
        func admit(_ words: [String], node: String = NodeScene.node) async throws -> String {
            let ending = try await Program("carnet").run(["admit", "--node", node, "--json"] + words + known)
            let root = try? JSONDocument(parsing: ending.output, maximumByteCount: 16_384).root
            return ["\(ending.status)", root?["decision"]?.string, root?["reason"]?.string].compactMap(\.self)
                .joined(separator: " ")
        }
    }

    @Test("Key, passport and request are made, the request is allowed and signed, and the key fits the certificate")
    func story() async throws {
        guard let openssl = try Witness.find("openssl") else { return }
        try await NodeScene.with { scene in
            let desk = try await Desk(scene), csr = desk.file("node.csr"), key = desk.file("node.key")
            let asked = try await desk.ask()
            #expect(asked.status == 0 && asked.text.contains(csr) && asked.errors.contains(key), "\(asked)")
            for file in [csr, key] {
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600, "\(file)")
            }
            #expect(!FileManager.default.fileExists(atPath: desk.file("state/passport.jwt")))
            #expect(try await desk.admit(["--csr", csr]) == "0 allow")
            #expect(try await desk.admit(["--csr", csr], node: "node-18") == "1 deny RequesterIsAnotherNode")

            let made = try openssl.run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=ca",
                "-keyout", desk.file("ca.key"), "-out", desk.file("ca.pem"), "-days", "2",
            ])
            try #require(made.status == 0, "\(made.errors)")
            let signed = try openssl.run([
                "x509", "-req", "-in", csr, "-CA", desk.file("ca.pem"), "-CAkey", desk.file("ca.key"), "-days", "1",
                "-out", desk.file("node.pem"),
            ])
            try #require(signed.status == 0, "\(signed.errors)")
            let told = try openssl.run([
                "x509", "-in", desk.file("node.pem"), "-noout", "-subject", "-nameopt", "RFC2253", "-pubkey",
            ])
            #expect(told.text.contains("CN=system:node:node-17,O=system:nodes"), "\(told.text)")
            let half = try openssl.run(["pkey", "-in", key, "-pubout"])
            #expect(half.status == 0 && told.text.contains(half.text), "\(half.errors)")

            // Again with the key that is there: the file stays as it is, and the passport is another.
            let bytes = try scene.folder.read("node.key"), text = try scene.folder.read("node.csr")
            let again = try await desk.ask()
            #expect(again.status == 0 && again.errors.isEmpty, "\(again)")
            #expect(try scene.folder.read("node.key") == bytes)
            #expect(try scene.folder.read("node.csr") != text)
            #expect(try await desk.admit(["--csr", csr]) == "0 allow")
        }
    }

    @Test("A request of another program is good with the passport beside it, and no other key is")
    func besides() async throws {
        guard let openssl = try Witness.find("openssl") else { return }
        try await NodeScene.with { scene in
            let desk = try await Desk(scene), passport = desk.file("passport.jwt")
            let attested = try await scene.agent([
                "attest", "--audience", NodeScene.audience, "--key", desk.file("node.key"), "--out", passport,
            ])
            #expect(attested.status == 0 && attested.text.contains(passport), "\(attested)")
            func request(_ key: String) throws -> [String] {
                let csr = desk.file("other.csr")
                let made = try openssl.run([
                    "req", "-new", "-key", desk.file(key), "-utf8", "-subj", "/O=system:nodes/CN=system:node:node-17",
                    "-out", csr,
                ])
                try #require(made.status == 0, "\(made.errors)")
                return ["--csr", csr, "--passport", passport]
            }
            #expect(try await desk.admit(request("node.key")) == "0 allow")
            let thief = try openssl.run([
                "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", desk.file("thief.key"),
            ])
            try #require(thief.status == 0, "\(thief.errors)")
            #expect(try await desk.admit(request("thief.key")) == "1 deny KeyNotAttested")
            // With the key that OpenSSL made the machine can attest just as well.
            let own = try await scene.agent([
                "attest", "--audience", NodeScene.audience, "--key", desk.file("thief.key"), "--out", passport,
            ])
            #expect(own.status == 0 && own.errors.isEmpty, "\(own)")
            #expect(try await desk.admit(request("thief.key")) == "0 allow")
        }
    }

    @Test("Another node's name, another audience, and a machine that was tampered with come to nothing")
    func refused() async throws {
        try await NodeScene.with { scene in
            let desk = try await Desk(scene), csr = desk.file("node.csr")
            #expect(try await desk.ask(node: "node-18").status == 0)
            #expect(try await desk.admit(["--csr", csr], node: "node-18") == "1 deny MachineIsAnotherNode")
            try FileManager.default.removeItem(atPath: csr)
            let stranger = try await desk.ask(["--audience", "https://b.example"])
            #expect(stranger.status == 1 && !FileManager.default.fileExists(atPath: csr), "\(stranger)")
            try scene.tamper()
            let tampered = try await desk.ask(["--out", desk.file("verdict.jwt")])
            #expect(tampered.status == 1 && tampered.errors.contains("not what the policy allows"), "\(tampered)")
            #expect(!FileManager.default.fileExists(atPath: csr))
        }
    }
}

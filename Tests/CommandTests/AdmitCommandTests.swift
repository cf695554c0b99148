import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// One forge plays the verifier; the machine's key is its holder's.
@Suite("carnet admit", .timeLimit(.minutes(5)))
struct AdmitCommandTests {
    private static let issuer = "https://verifier.example", audience = "https://cluster-a.example"
    private static let subject = "urn:carnet:node:11111111-2222-3333-4444-555555555555"
    private let folder: TemporaryDirectory, forge: TokenForge, now = Int64(Date().timeIntervalSince1970)
    private let known: [String]

    init() throws {
        folder = try TemporaryDirectory()
        forge = try TokenForge()
        let jwks = try folder.write(forge.keySet, "jwks.json")
        known = ["--jwks", jwks, "--issuer", Self.issuer, "--audience", Self.audience]
    }

    private func passport(
        _ name: String = "passport.jwt", audience: String = audience, status: TrustTier = .affirming,
        listed: StatusReference? = nil, label: String? = "node-17"
    ) throws -> String {
        let token = try forge.signingKey.mint(
            forge.result(
                issuer: Self.issuer, audience: [audience], issuedAt: now, status: status, protection: .software,
                statusReference: listed, subject: Self.subject,
                nodeLabels: label.map { ["kubernetes-node": $0] } ?? [:]))
        return try folder.write(token, name)
    }

    private func request(
        _ node: String = "node-17", names: CertificateRequest.AlternativeNames = .init(), by key: PrivateKey? = nil,
        showing passport: String? = nil
    ) throws -> String {
        let request = try CertificateRequest(
            subject: [.organization("system:nodes"), .commonName("system:node:" + node)], alternativeNames: names,
            signedBy: key ?? forge.holderKey)
        var text = PEM.Block(label: "CERTIFICATE REQUEST", content: request.der).text
        if let passport {
            text += PassportCarrier.block(carrying: [UInt8](try Data(contentsOf: URL(filePath: passport)))).text
        }
        return try folder.write(Array(text.utf8), "node.csr")
    }

    private func run(_ words: [String], node: String = "node-17") async throws -> Program.Ending {
        try await Program("carnet").run(["admit", "--node", node] + words + known)
    }

    /// The status, and the reason in the JSON that is printed.
    private func answer(_ words: [String], node: String = "node-17") async throws -> String {
        let ending = try await run(words + ["--json"], node: node)
        let root = try? JSONDocument(parsing: Array(ending.text.utf8), maximumByteCount: 16_384).root
        guard let decision = root?["decision"]?.string else { return "\(ending.status)" }
        return "\(ending.status) \(decision)" + (root?["reason"]?.string.map { " " + $0 } ?? "")
    }

    @Test("A machine is allowed by its passport, and told that possession is not proven")
    func passports() async throws {
        let allowed = try await run(["--passport", passport()])
        #expect(
            allowed.status == 0 && allowed.errors.isEmpty
                && allowed.text.contains("Allowed: node-17 is \(Self.subject)"))
        #expect(allowed.text.contains("NOT proven"))
        #expect(try await answer(["--passport", passport()]) == "0 allow")
        #expect(try await answer(["--passport", passport()], node: "node-18") == "1 deny MachineIsAnotherNode")
        #expect(try await answer(["--passport", passport(audience: "https://b.example")]) == "1 deny PassportAudience")
        #expect(try await answer(["--passport", passport(status: .contraindicated)]) == "1 deny PassportTier")
        #expect(try await answer(["--passport", passport(label: nil)]) == "1 deny MachineNotNamed")
        let denied = try await run(["--passport", passport(label: nil)])
        #expect(denied.status == 1 && denied.text.isEmpty && denied.errors.contains("Denied (MachineNotNamed)"))
        #expect(denied.errors.contains("carnet node label"))
    }

    @Test("A request is decided as in Kubernetes")
    func requests() async throws {
        let passport = try passport()
        #expect(try await answer(["--csr", request(), "--passport", passport]) == "0 allow")
        #expect(try await answer(["--csr", request(showing: passport)]) == "0 allow")
        #expect(try await answer(["--csr", request()]) == "1 deny PassportMissing")
        #expect(
            try await answer(["--csr", request(by: .generate()), "--passport", passport]) == "1 deny KeyNotAttested")
        #expect(
            try await answer(["--csr", request(), "--passport", passport], node: "node-18")
                == "1 deny RequesterIsAnotherNode")
        let bootstrap = ["--user", "system:bootstrap:a", "--group", "system:bootstrappers"]
        #expect(try await answer(["--csr", request(), "--passport", passport] + bootstrap) == "0 allow")
        #expect(
            try await answer(["--csr", request(), "--passport", passport] + bootstrap, node: "node-18")
                == "1 deny RequestForAnotherNode")
        #expect(
            try await answer(["--csr", request(), "--passport", passport, "--user", "a", "--group", "b"])
                == "1 deny RequesterNotAllowed")
        #expect(
            try await answer([
                "--csr", request(), "--passport", passport, "--user", "a", "--group", "b", "--bootstrap-group", "b",
            ])
                == "0 allow")
        #expect(
            try await answer(["--csr", request(), "--passport", passport, "--usage", "client auth"])
                == "1 deny UsagesNotAllowed")
        for (life, word) in [("600", "0 allow"), ("14401", "1 deny LifeNotAllowed")] {
            #expect(
                try await answer(["--csr", request(), "--passport", passport, "--expiration-seconds", life]) == word)
        }
        let allowed = try await run(["--csr", request(), "--passport", passport])
        #expect(allowed.text.contains("by the key that was attested") && !allowed.text.contains("NOT"))
    }

    @Test("Serving certificates need the node's own names and addresses")
    func serving() async throws {
        let passport = try passport()
        func answer(_ names: CertificateRequest.AlternativeNames, _ words: [String] = []) async throws -> String {
            try await self.answer(
                ["--csr", request(names: names), "--passport", passport, "--signer", "serving"] + words)
        }
        let names = CertificateRequest.AlternativeNames(dns: ["node-17"], addresses: [[10, 0, 0, 17]])
        #expect(try await answer(names, ["--address", "10.0.0.17"]) == "0 allow")
        #expect(try await answer(names, ["--address", "10.0.0.18"]) == "1 wait AddressNotTheNodes")
        #expect(try await answer(names) == "1 wait NodeNotKnown")
        #expect(try await answer(.init(dns: ["node-17.a"])) == "1 deny AlternativeNamesNotAllowed")
        #expect(try await answer(.init(dns: ["node-17.a"]), ["--serving-suffix", "a"]) == "0 allow")
    }

    @Test("The names come from another label or a file, strictly read")
    func names() async throws {
        let passport = try passport()
        #expect(try await answer(["--passport", passport, "--label", "role"]) == "1 deny MachineNotNamed")
        #expect(try await answer(["--passport", passport, "--label", "kubernetes-node"]) == "0 allow")
        func file(_ text: String) throws -> [String] {
            ["--passport", passport, "--names", try folder.write(Array(text.utf8), "names.yaml")]
        }
        #expect(try await answer(file("names: {node-17: \"\(Self.subject)\"}")) == "0 allow")
        #expect(try await answer(file("names: {node-18: \"\(Self.subject)\"}")) == "1 deny MachineIsAnotherNode")
        #expect(try await answer(file("names: {}")) == "1 deny MachineNotNamed")
        for text in [
            "", "[]", "names:", "names: []", "names: {a: \"\(Self.subject)\"}\nmore: 1",
            "names: {A: \"\(Self.subject)\"}",
            "names: {a: b}", "names: {a: \"\(Self.subject)\", b: \"\(Self.subject)\"}",
            "names: {a: \"\(Self.subject)\", a: \"\(Self.subject)\"}", "names: {a: {b: c}}",
        ] {
            #expect(try await answer(file(text)) == "2", "\(text)")
        }
        #expect(try await answer(file("names: {}") + ["--label", "x"]) == "2")
    }

    @Test("A withdrawn passport is denied, and one whose list is missing is not decided")
    func status() async throws {
        let uri = Self.issuer + "/status-lists/1"
        let passport = try passport(listed: StatusReference(uri: uri, index: 4))
        let good = try folder.write(forge.statusList(uri, issuedAt: now), "good.jwt")
        let bad = try folder.write(forge.statusList(uri, issuedAt: now, [4: .invalid]), "bad.jwt")
        #expect(try await answer(["--passport", passport, "--status-list", good]) == "0 allow")
        #expect(try await answer(["--passport", passport, "--status-list", bad]) == "1 deny PassportRevoked")
        #expect(try await answer(["--passport", passport]) == "1 wait PassportStatusUnknown")
        #expect(try await answer(["--passport", passport, "--skip-status"]) == "0 allow")
        let waiting = try await run(["--passport", passport])
        #expect(waiting.status == 1 && waiting.errors.contains("Not decided, ask again"))
    }

    @Test("What cannot be read and what is not there have statuses of their own")
    func failures() async throws {
        let passport = try passport()
        #expect(try await answer([]) == "2")
        #expect(try await answer(["--passport", folder.path + "/none"]) == "3")
        #expect(try await answer(["--csr", folder.path + "/none"]) == "3")
        #expect(try await answer(["--passport", "-", "--csr", "-"]) == "2")
        #expect(try await answer(["--passport", passport], node: "Node-17") == "2")
        #expect(try await answer(["--csr", request(showing: passport), "--passport", passport]) == "2")
        #expect(try await answer(["--passport", passport, "--maximum-status-age", "86401"]) == "2")
        #expect(try await answer(["--passport", passport, "--maximum-life", "599"]) == "2")
        let rubbish = try folder.write([1, 2, 3], "rubbish")
        #expect(try await answer(["--csr", rubbish, "--passport", passport]) == "1 deny RequestUnreadable")
        #expect(try await answer(["--passport", passport, "--names", rubbish]) == "2")
    }
}

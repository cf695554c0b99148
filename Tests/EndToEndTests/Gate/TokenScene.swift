import CarnetTesting
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import MeasurementLogs
import StrictEncoding
import Testing
import VerifierHarness

/// A machine with a software TPM, its verifier behind TLS, and a real API server that takes the verifier's tokens by the flags of the guide.
/// kubectl runs `carnet-agent` by the guide's kubeconfig.
struct TokenScene: Sendable {
    /// The API server's own audience, and one of another service.
    static let audience = "https://api.cluster-a.example", otherAudience = VerifierUnderTest.audience
    let tpm: SoftwareTPM, folder: TemporaryDirectory, cluster: TestCluster
    private let verifier: String, authorityFile: String, log: String

    /// The machine is enrolled, and its passports are so short-lived that every one is used once.
    static func with(_ body: @Sendable (TokenScene) async throws -> Void) async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory()
        try tpm.measure(GoodBoot.log())
        let log = try folder.write(GoodBoot.log().bytes, "event-log.bin")
        let authority = try HarnessAuthority("verifier")
        let authorityFile = try folder.write(Array(authority.certificate.utf8), "verifier-ca.pem")
        let identity = try authority.server("verifier", names: ["IP:127.0.0.1"])
        let place = try TLSPlace(
            certificateFile: try folder.write(Array(identity.certificate.utf8), "verifier.pem"),
            privateKeyFile: try folder.writeSecret(Array(identity.key.utf8), "verifier.key"))
        let office = try Office(trusting: tpm, alsoFor: [audience], at: place, tokenLifetime: 60)
        try await office.verifier.run { _ in
            let flags = try guide("--oidc-").split(separator: "\n").map {
                String($0).replacing("https://verifier.example", with: place.url)
                    .replacing("/etc/kubernetes/pki/verifier-ca.crt", with: authorityFile)
            }
            try await TestCluster.withReal(serverFlags: flags) { cluster in
                let scene = TokenScene(
                    tpm: tpm, folder: folder, cluster: cluster, verifier: place.url, authorityFile: authorityFile,
                    log: log)
                let enrolled = try await scene.agent(["enrol", "--name", "machine-1"])
                #expect(enrolled.status == 0, "\(enrolled.errors)")
                try await body(scene)
            }
        }
    }

    /// The block of the guide's section that has certain words.
    static func guide(_ words: String) throws -> String {
        let page = try Repository.text("Docs/Guides/Kubernetes.md")
        let section = page.components(separatedBy: "\n## ").first { $0.hasPrefix("API servers that take") }
        // Between fences: every second part, behind its first line.
        let blocks = (section ?? "").components(separatedBy: "\n```").enumerated().filter { $0.offset % 2 == 1 }
        let block = try #require(blocks.first { $0.element.contains(words) }?.element)
        return String(block.drop { $0 != "\n" }.dropFirst())
    }

    private var place: [String] {
        [
            "--ca-file", authorityFile, "--tcti", tpm.tcti, "--state", folder.path + "/state", "--event-log", log,
            "--no-runtime-log", "--no-ima-list",
        ]
    }

    /// Runs the agent with words and all that says where the machine and its verifier are.
    func agent(_ words: [String]) async throws -> Program.Ending {
        try await Program("carnet-agent").run(words + ["--verifier", verifier] + place)
    }

    /// Runs kubectl with the guide's kubeconfig.
    ///
    /// - Parameter audience: Whom the plugin asks a passport for, instead of whom the guide says.
    func kubectl(_ words: [String], audience: String = Self.audience) async throws -> Program.Ending {
        let words = words + ["--cache-dir", folder.path + "/cache"]
        return try await RealCluster.kubectl().run(words + ["--kubeconfig", try kubeconfig(audience)])
    }

    private func kubeconfig(_ audience: String) throws -> String {
        let place = place.map { "\"\($0)\", " }.joined()
        let text = try Self.guide("kind: Config")
            .replacing("https://cluster-a.example:6443", with: cluster.url)
            .replacing("/etc/kubernetes/pki/ca.crt", with: cluster.authorityFile)
            .replacing("client.authentication.k8s.io/v1\n", with: "client.authentication.k8s.io/v1beta1\n")
            .replacing("command: carnet-agent", with: "command: " + Program("carnet-agent").path)
            .replacing("[kubelet, credential, ", with: "[kubelet, credential, " + place)
            .replacing("https://verifier.example", with: verifier)
            .replacing(Self.audience, with: audience)
        return try folder.writeSecret(Array(text.utf8), "kubeconfig")
    }

    /// What the verifier says of the machine now, for all audiences that it has, whether that is good or bad.
    func verdict() async throws -> String {
        let file = folder.path + "/verdict.jwt"
        try? FileManager.default.removeItem(atPath: file)
        _ = try await agent(["attest", "--out", file])
        return String(decoding: try folder.read("verdict.jwt"), as: UTF8.self)
    }

    /// The user that the API server has to take the machine for.
    func user() async throws -> String {
        let payload = try #require(try await verdict().split(separator: ".").dropFirst().first)
        let claims = try JSONDocument(
            parsing: try #require(Base64URL.decode(payload)), maximumByteCount: 65_536)
        return "carnet:" + (claims.root["sub"]?.string ?? "")
    }

    /// How the API server answers the holder of a token that lists the nodes.
    func status(_ token: String) async throws -> Int {
        try await cluster.call(.get, "/api/v1/nodes", as: .bearer(token)).status
    }

    /// The machine runs a boot loader that the policy does not know, and its log says so.
    func tamper() throws {
        let bad = GoodBoot.tamperedLog()
        try tpm.measure(bad, from: GoodBoot.log().measurements.count)
        _ = try folder.write(bad.bytes, "event-log.bin")
    }
}

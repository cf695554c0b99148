import Fixtures
import Foundation
import Testing

/// The settings of the gate's program, and the example that lists them.
@Suite("carnet-admission's configuration", .timeLimit(.minutes(3))) struct AdmissionConfigurationTests {
    private let gate = Program("carnet-admission"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    @Test("The example lists every setting once, and can be printed") func example() async throws {
        try await ExampleSettings.expectWhole("admission.yaml", of: gate, in: folder)
    }

    /// A kubeconfig of a cluster that nobody asks.
    private func kubeconfig(_ cluster: String = "server: https://127.0.0.1:1") throws -> String {
        let text = """
            current-context: c
            clusters: [{name: k, cluster: {\(cluster)}}]
            users: [{name: u, user: {token: t}}]
            contexts: [{name: c, context: {cluster: k, user: u}}]
            """
        return try folder.write(Array(text.utf8), "kubeconfig-" + UUID().uuidString)
    }

    private func words() throws -> [String] {
        [
            "--kubeconfig", try kubeconfig(), "--plain-http", "--listen", "127.0.0.1:0", "--audience",
            "https://cluster-a.example", "--issuer", "https://verifier.example",
        ]
    }

    @Test("Good settings are good, each gate for itself too") func good() async throws {
        for gates in [
            [], ["--gates", "approver"], ["--gates", "webhook,controller"],
            ["--gates", "webhook", "--gates", "approver"],
        ] {
            let ending = try await gate.run(words() + gates + ["--check-config"])
            #expect(ending.status == 0 && ending.text.contains("can be used"), "\(ending)")
        }
    }

    @Test(
        "What cannot be used is told before anything starts, by the setting's name",
        arguments: [
            (["--listen", "nowhere"], "--listen"), (["--gates", "approver,door"], "--gates"),
            (["--gates", ""], "--gates"),
            (["--bundle", "b"], "--bundle-root"), (["--maximum-status-age", "119"], "--maximum-status-age"),
            (["--lapse-grace", "-1"], "--lapse-grace"), (["--evict-after", "10"], "--evict-after"),
            (["--maximum-tainted-percent", "0"], "--maximum-tainted-percent"),
            (["--maximum-tainted-percent", "101"], "--maximum-tainted-percent"),
            (["--lease-seconds", "1"], "--lease-seconds"), (["--namespace", "A b"], "--namespace"),
            (["--exempt-node", "A"], "--exempt-node"), (["--names", "/no/such"], "/no/such"),
            (["--serving-network", "10.0.0.1/8"], "--serving-network"),
            (["--maximum-certificate-seconds", "60"], "--maximum-certificate-seconds"),
            (["--minimum-tier", "none"], "--minimum-tier"), (["--gate-user", "a b"], "--gate-user"),
            (["--listen", "0.0.0.0:0"], "loopback"), (["--verifier", "http://127.0.0.1:1"], "--verifier-plain-http"),
            (["--kube-context", "x"], "no context x"),
        ]) func refused(words: [String], name: String) async throws
    {
        let ending = try await gate.run(try self.words() + words + ["--check-config"])
        #expect(ending.status != 0 && ending.errors.contains(name), "\(ending)")
    }

    @Test("Outside of a pod it says what to give, and a cluster that anybody can be is refused") func cluster()
        async throws
    {
        let rest = Array(try words().dropFirst(2)) + ["--check-config"]
        let pod = try await gate.run(rest)
        #expect(pod.status != 0 && pod.errors.contains("--kubeconfig"), "\(pod)")
        let insecure = try kubeconfig("server: https://127.0.0.1:1, insecure-skip-tls-verify: true")
        let ending = try await gate.run(["--kubeconfig", insecure] + rest)
        #expect(ending.status != 0 && ending.errors.contains("insecure-skip-tls-verify"), "\(ending)")
    }

    @Test("The first example of --help starts a gate, as it is written, and it ends when it is asked to")
    func helpExample() async throws {
        for help in [["--help"], ["help", "serve"]] {
            let text = try await gate.run(help).text.replacing("\\\n", with: " ")
            let line = try #require(
                text.split(separator: "\n").first {
                    $0.trimmingCharacters(in: .whitespaces).hasPrefix("carnet-admission --kubeconfig")
                })
            let address = folder.path + "/address-\(help.count)", file = try kubeconfig()
            let words = line.split(separator: " ").dropFirst().map { word in
                String(word).replacing("gate.kubeconfig", with: file).replacing("127.0.0.1:8643", with: "127.0.0.1:0")
            }
            let running = try gate.start(
                words + ["--address-file", address, "--drain-seconds", "0"], log: folder.path + "/log")
            let isUp = try await eventually { FileManager.default.fileExists(atPath: address) }
            _ = running.stop()
            let log = String(decoding: try folder.read("log"), as: UTF8.self)
            #expect(isUp && log.contains("the gate starts"), "\(log)")
        }
    }

    @Test("The manifests' settings are settings") func manifest() async throws {
        let text = try Repository.text("Docs/Deploy/Kubernetes/admission/admission.yaml")
        let file = try folder.write(Array(text.utf8), "admission.yaml")
        let ending = try await gate.run(["--config", file, "--print-config"])
        #expect(ending.status == 0, "\(ending)")
    }
}

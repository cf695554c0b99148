import Fixtures
import Foundation
import Testing

/// The settings of the agent's daemon, and the example that lists them.
@Suite("carnet-agent's configuration", .timeLimit(.minutes(3))) struct AgentConfigurationTests {
    private let agent = Program("carnet-agent"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func origins(
        _ text: String, _ environment: [String: String] = [:], of command: [String] = ["run"]
    ) async throws -> [String: String] {
        let file = try folder.write(Array(text.utf8), "agent.yaml")
        return try await ExampleSettings.printed(
            by: agent, command + ["--config", file], environment: environment
        ).mapValues(\.from)
    }

    @Test(
        "The example can be used, and lists every setting once with a value that it can have",
        arguments: [
            ("agent.yaml", ["run"]), ("agent-kubelet.yaml", ["kubelet"]), ("agent-kubelet.yaml", ["kubelet", "run"]),
        ])
    func example(file: String, command: [String]) async throws {
        let text = try Repository.text("Docs/Examples/" + file)
        let lines = ExampleSettings.lines(text)
        let known = try await origins(text, of: command)
        #expect(lines.compactMap(ExampleSettings.key).sorted() == known.keys.sorted())
        let all = lines.map { $0.hasPrefix("# ") && ExampleSettings.key($0) != nil ? String($0.dropFirst(2)) : $0 }
        let set = try await origins(all.joined(separator: "\n"), of: command)
        #expect(set.values.allSatisfy { $0 == "file" }, "\(set)")
    }

    @Test("A flag goes before the environment, and the environment before the file")
    func order() async throws {
        let text = "verifier: https://verifier.example\nwatch-seconds: 7\nminimum-seconds: 8\n"
        let set = try await origins(text, ["CARNET_AGENT_WATCH_SECONDS": "9"])
        #expect(set["watch-seconds"] == "environment" && set["minimum-seconds"] == "file")
        #expect(set["growth-seconds"] == "default")
        let node = try await origins(
            "verifier: https://verifier.example\naudience: a\nwait-seconds: 70\n",
            ["CARNET_KUBELET_WATCH_SECONDS": "9", "CARNET_AGENT_WATCH_SECONDS": "8"], of: ["kubelet"])
        #expect(node["wait-seconds"] == "file" && node["watch-seconds"] == "environment" && node["node"] == "default")
    }
}

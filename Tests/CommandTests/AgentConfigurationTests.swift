import Fixtures
import Foundation
import Testing

/// The settings of the agent's daemon, and the example that lists them.
@Suite("carnet-agent's configuration", .timeLimit(.minutes(3))) struct AgentConfigurationTests {
    private let agent = Program("carnet-agent"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private struct Report: Decodable {
        struct Line: Decodable { let name: String, from: String }
        let settings: [Line]
    }

    private func origins(
        _ text: String, _ environment: [String: String] = [:], of command: [String] = ["run"]
    ) async throws -> [String: String] {
        let file = try folder.write(Array(text.utf8), "agent.yaml")
        let ending = try await agent.run(
            command + ["--config", file, "--print-config", "--json"], environment: environment)
        #expect(ending.status == 0 && ending.errors.isEmpty, "\(ending)")
        let report = try JSONDecoder().decode(Report.self, from: Data(ending.output))
        return Dictionary(uniqueKeysWithValues: report.settings.map { ($0.name, $0.from) })
    }

    /// `key: value` or `# key: value`: the key, or nil.
    private func key(_ line: String) -> String? {
        let text = line.hasPrefix("# ") ? line.dropFirst(2) : line[...]
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasPrefix(" ") else { return nil }
        let key = String(parts[0])
        return !key.isEmpty && key.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D } ? key : nil
    }

    @Test(
        "The example can be used, and lists every setting once with a value that it can have",
        arguments: [
            ("agent.yaml", ["run"]), ("agent-kubelet.yaml", ["kubelet"]), ("agent-kubelet.yaml", ["kubelet", "run"]),
        ])
    func example(file: String, command: [String]) async throws {
        let text = try Repository.text("Docs/Examples/" + file)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let known = try await origins(text, of: command)
        #expect(lines.compactMap(key).sorted() == known.keys.sorted())
        let all = lines.map { $0.hasPrefix("# ") && key($0) != nil ? String($0.dropFirst(2)) : $0 }
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

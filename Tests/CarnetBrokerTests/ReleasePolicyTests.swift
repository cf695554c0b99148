import CarnetBroker
import CarnetTesting
import Fixtures
import PolicyDocument
import Testing

/// Release policies are read strictly: what is not understood is refused.
@Suite struct ReleasePolicyTests {
    private static let head = "version: 1\nid: edge\nsecrets: [default/db/*]\n"

    @Test("A policy says which secrets and volumes it opens") func reading() throws {
        let policy = try ReleasePolicy(
            parsing: Array((Self.head + "volumes: [root]\nfreshness: background-check\n").utf8))
        let name = try #require(SecretName("default/db/password"))
        let other = try #require(SecretName("default/tls/password"))
        #expect(policy.covers(name) && !policy.covers(other))
        #expect(policy.covers(volume: "root") && !policy.covers(volume: "data"))
        #expect(policy.freshness == .backgroundCheck && policy.forms == [.jwe])
    }

    @Test(
        "What is not understood, or opens nothing, or is too much, is refused",
        arguments: [
            "", "version: 2\nid: a\nvolumes: [root]\n", "version: 1\nid: a\n", "version: 1\nid: A B\nvolumes: [root]\n",
            head + "secrets: [x]\n", head + "unknown: 1\n", "version: 1\nid: a\nsecrets: [default/db]\n",
            "version: 1\nid: a\nsecrets: [\"../a/b\"]\n", "version: 1\nid: a\nvolumes: [\"a/b\"]\n",
            head + "freshness: never\n", head + "forms: []\n", head + "forms: [plain]\n",
            head + "passport: {status: none}\n", head + "passport: {maximum_age: 0}\n",
            head + "passport: {maximum_age: 1e9}\n", head + "passport: {vector: {nonsense: affirming}}\n",
            head + "passport: {secure_boot: maybe}\n", head + "passport: {more: 1}\n",
            head + "phases: {reached: [enter-initrd], not_reached: [leave-initrd]}\n",
            head + "passport: {key_protection: tpm-state}\nphases: {}\n",
            head + "passport: {key_protection: tpm-state}\nphases: {not_reached: [leave-initrd]}\n",
            head + "passport: {key_protection: tpm-state}\nphases: {reached: [\"Two Words\"]}\n",
            head + "passport: {key_protection: tpm-state}\nphases: {reached: [a], not_reached: [a]}\n",
            head + "a: &x 1\nb: *x\n", head + "machines: [my-node]\n",
            head + "machines: [\"urn:carnet:node:1\"]\n", head + "machines: [11111111-2222-3333-4444-555555555555]\n",
            head + "machines: [\"urn:carnet:node:11111111-2222-3333-4444-55555555555G\"]\n",
            head + "machines: [\"urn:carnet:node:AAAAAAAA-2222-3333-4444-555555555555\"]\n",
        ]) func refused(_ text: String)
    {
        #expect(throws: PolicyError.self) { try ReleasePolicy(parsing: Array(text.utf8)) }
    }

    @Test("A machine is named by its subject; who writes a name is told where subjects are shown") func machines()
        throws
    {
        let good = "machines: [\"urn:carnet:node:11111111-2222-3333-4444-555555555555\"]\n"
        #expect(try ReleasePolicy(parsing: Array((Self.head + good).utf8)).subjects.count == 1)
        let error = #expect(throws: PolicyError.self) {
            try ReleasePolicy(parsing: Array((Self.head + "machines: [my-node]\n").utf8))
        }
        #expect(error?.description.contains("carnet node list") == true)
    }

    @Test("The guide's policy can be read, and the guide says what of it the first machine does not meet") func guide()
        throws
    {
        let guide = try Repository.text("Docs/Guides/Secrets.md")
        let start = try #require(guide.firstRange(of: "$ cat edge.yaml\n")),
            end = try #require(guide.firstRange(of: "$ carnet secret policy put"))
        let text = String(guide[start.upperBound..<end.lowerBound])
        let policy = try ReleasePolicy(parsing: Array(text.utf8))
        #expect(policy.demands.labels == ["site": "edge"] && policy.demands.policies == ["prod-node"])
        let id = try GoodBoot.policy(for: GoodBoot.log()).split(separator: "\n").first { $0.hasPrefix("id: ") }?
            .dropFirst(4)
        #expect(guide.contains("has the id `\(id ?? "")`, leave out `labels`, `policies`, `secure_boot` and `vector`"))
        let rest = text.split(separator: "\n").filter { line in
            !["  labels", "  policies", "  secure_boot", "  vector"].contains { line.hasPrefix($0) }
        }
        let least = try ReleasePolicy(parsing: Array(rest.joined(separator: "\n").utf8)).demands
        #expect(least.labels.isEmpty && least.policies.isEmpty && !least.needsSecureBoot && least.vector.isEmpty)
    }

    @Test(
        "Names have three parts of harmless characters",
        arguments: ["a/b", "a/b/c/d", "a//c", "a/../c", "a/b/c d", "/a/b"])
    func names(_ text: String) { #expect(SecretName(text) == nil) }
}

import CarnetBroker
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
            head + "a: &x 1\nb: *x\n",
        ]) func refused(_ text: String)
    {
        #expect(throws: PolicyError.self) { try ReleasePolicy(parsing: Array(text.utf8)) }
    }

    @Test(
        "Names have three parts of harmless characters",
        arguments: ["a/b", "a/b/c/d", "a//c", "a/../c", "a/b/c d", "/a/b"])
    func names(_ text: String) { #expect(SecretName(text) == nil) }
}

import CarnetCommandLine
import Fixtures
import Testing

/// Identifiers are random base64url, and may begin like options.
@Suite("Identifiers that begin with a hyphen") struct IdentifierWordTests {
    private static let kid = "-zbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", jti = "--3lR0GkR8m4nJ1xv2cEwA"

    @Test("They are moved behind the options, and nothing else is") func moved() {
        let words = ["key", "revoke", Self.kid, "--reason", "x"]
        #expect(IdentifierWords.behindOptions(words) == ["key", "revoke", "--reason", "x", "--", Self.kid])
        #expect(IdentifierWords.behindOptions([Self.jti]) == ["--", Self.jti])
        #expect(IdentifierWords.behindOptions(["--a=b", Self.kid]) == ["--a=b", "--", Self.kid])
        for words in [
            [], ["--", Self.kid], ["x", String(Self.kid.dropFirst())], [Self.kid + "x"], [String(Self.kid.dropLast())],
            ["--key-encryption-key-x"], ["-Aa0/lR0GkR8m4nJ1xv2cE"], ["--next-key", Self.kid],
        ] as [[String]] {
            #expect(IdentifierWords.behindOptions(words) == words, "\(words)")
        }
    }

    @Test("Commands take them as they are typed") func commands() async throws {
        let carnet = Program("carnet")
        let environment = ["CARNET_VERIFIER": "http://127.0.0.1:1", "CARNET_PLAIN_HTTP": "1"]
        let file = try TemporaryDirectory(), token = try file.writeSecret(Array("token".utf8), "token")
        for words in [["key", "revoke", Self.kid], ["revoke", "token", Self.jti]] {
            let ending = try await carnet.run(
                words + ["--reason", "x", "--token-file", token], environment: environment)
            // It was understood, and nobody answers.
            #expect(ending.status == 3, "\(ending)")
        }
    }
}

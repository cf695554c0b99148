import CarnetService
@testable import CarnetRecords
import CarnetVerifier
import Testing
import VerifierHarness

@Suite struct ConfigurationTests {
    @Test(
        "An issuer is an https URI that clients can add a path to",
        arguments: [
            ("https://verifier.example", true), ("https://verifier.example/carnet", true),
            ("http://verifier.example", false),
            ("verifier.example", false), ("", false), ("https://verifier.example/", false), ("https://a b", false),
            ("https://a?b", false), ("https://a#b", false), ("https://a\"b", false), ("https://ü.example", false),
            ("https://" + String(repeating: "a", count: 260), false),
        ])
    func issuer(_ issuer: String, _ isGood: Bool) throws {
        let verifier = try VerifierUnderTest { $0.issuer = issuer }
        let configuration = try verifier.configuration
        if isGood {
            try configuration.check()
        } else {
            #expect(throws: VerifierConfigurationError.issuer(issuer)) { try configuration.check() }
        }
    }

    @Test("A passport is for somebody", arguments: [[], [""], ["a b"], ["good", "b\n"]])
    func audiences(_ audiences: [String]) throws {
        let configuration = try VerifierUnderTest { $0.audiences = audiences }.configuration
        #expect(throws: VerifierConfigurationError.self) { try configuration.check() }
    }

    @Test("Lifetimes are minutes", arguments: [-1, 0, 29, 3601, Int64.max])
    func tokenLifetime(_ seconds: Int64) throws {
        let configuration = try VerifierUnderTest { $0.tokenLifetime = seconds }.configuration
        #expect(throws: VerifierConfigurationError.tokenLifetime(seconds)) { try configuration.check() }
    }

    @Test("Sessions last minutes", arguments: [-1, 0, 9, 601])
    func sessionLifetime(_ seconds: Int64) throws {
        let configuration = try VerifierUnderTest { $0.sessionLifetime = seconds }.configuration
        #expect(throws: VerifierConfigurationError.sessionLifetime(seconds)) { try configuration.check() }
    }

    @Test("A verifier that would serve other machines without TLS does not start") func plainHTTP() async throws {
        let address = try #require(ListenAddress("0.0.0.0:0"))
        let verifier = try VerifierUnderTest { $0.address = address }
        await #expect(throws: ServiceStartError.plainHTTPBeyondLoopback(address)) { try await verifier.run { _ in } }
    }
}

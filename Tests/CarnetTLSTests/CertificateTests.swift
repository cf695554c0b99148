import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

/// What a certificate proves about a passport (RFC 8705 §3).
@Suite("Passports bound to certificates")
struct CertificateTests {
    static let now: Int64 = 1_800_000_000
    private let forge: TokenForge, verifier: PassportVerifier, own: ClientKey

    init() throws {
        forge = try TokenForge()
        verifier = try PassportVerifier(
            keySet: forge.keySet,
            expectations: Expectations(issuer: "https://verifier.example", audience: "https://service.example"))
        own = try ClientKey(forge.holderKey)
    }

    private var thumbprint: String { get throws { try JSONWebKey(forge.holderKey.publicKey).thumbprint } }

    /// A passport with this `cnf`.
    private func passport(_ confirmation: String) throws -> [UInt8] {
        let good = String(decoding: try forge.result(issuedAt: Self.now).claimsSet, as: UTF8.self)
        let changed = try good.replacing(#""cnf":{"jkt":"\#(thumbprint)"}"#, with: #""cnf":{\#(confirmation)}"#)
        return try forge.token(payload: changed)
    }

    private func refusal(_ passport: [UInt8], _ certificate: [UInt8], at now: Int64 = now) throws -> Refusal.Code? {
        let result = try verifier.verify(passport, at: Self.now)
        do throws(Refusal) {
            let proven = try verifier.prove(result, byCertificate: certificate, at: now)
            #expect(proven.manner == .certificate)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("Without x5t#S256 any certificate for the passport's key will do, and none for another key")
    func key() throws {
        let passport = try forge.signingKey.mint(forge.result(issuedAt: Self.now))
        let first = try ClientKey.der(own.certificateFile()), second = try ClientKey.der(own.certificateFile())
        #expect(first != second)
        #expect(try refusal(passport, first) == nil)
        #expect(try refusal(passport, second) == nil)
        #expect(try refusal(passport, first) == nil, "a connection lasts")
        let other = try ClientKey.der(ClientKey(.generate()).certificateFile())
        #expect(try refusal(passport, other) == .proofKey)
        #expect(try refusal(passport, ClientKey.der(ClientKey(.generate(.p384)).certificateFile())) == .proofKey)
        #expect(try refusal(passport, first, at: Self.now + 330) == .expired)
        for spoiled in [[], Array(first.dropLast()), first + [0], passport] {
            #expect(try refusal(passport, spoiled) == .proofKey)
        }
    }

    @Test("With x5t#S256 it is the one certificate, and its key is the passport's")
    func certificate() throws {
        let der = try ClientKey.der(own.certificateFile()), renewed = try ClientKey.der(own.certificateFile())
        let foreign = try ClientKey.der(ClientKey(.generate()).certificateFile())
        func hash(_ der: [UInt8]) -> String { #""x5t#S256":"\#(Base64URL.encode(HashAlgorithm.sha256.hash(der)))""# }
        let both = try passport(#""jkt":"\#(thumbprint)",\#(hash(der))"#)
        #expect(try refusal(both, der) == nil)
        #expect(try refusal(both, renewed) == .proofKey)
        #expect(try refusal(both, foreign) == .proofKey)
        // An issuer that names a key and another key's certificate has bound the token to nobody.
        let torn = try passport(#""jkt":"\#(thumbprint)",\#(hash(foreign))"#)
        #expect(try refusal(torn, foreign) == .proofKey)
        #expect(try refusal(torn, der) == .proofKey)
        let alone = try passport(hash(der))
        #expect(try refusal(alone, der) == nil)
        #expect(try refusal(alone, renewed) == .proofKey)
        #expect(try refusal(alone, []) == .proofKey)
    }

    @Test("A passport that names a certificate only cannot be proven by a key")
    func noKey() throws {
        let der = try ClientKey.der(own.certificateFile())
        let token = try passport(#""x5t#S256":"\#(Base64URL.encode(HashAlgorithm.sha256.hash(der)))""#)
        let result = try verifier.verify(token, at: Self.now)
        let request = ProvenRequest(method: "GET", uri: "https://service.example/")
        let proof = try forge.proof(for: request, showing: token, issuedAt: Self.now)
        let refusal = #expect(throws: Refusal.self) {
            try verifier.prove(result, by: proof, of: request, at: Self.now)
        }
        #expect(refusal?.code == .proofKey)
    }

    @Test(
        "A cnf of another shape is refused",
        arguments: [
            "", #""x5t#S256":"AA""#, #""x5t#S256":7"#, #""x5t":"AA""#, #""jkt":"AA""#,
            #""kid":"a""#, #""x5t#S256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","kid":"a""#,
            #""x5t#S256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","jkt":7"#,
            #""x5t#S256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=""#,
        ])
    func shapes(confirmation: String) throws {
        let token = try passport(confirmation)
        let refusal = #expect(throws: Refusal.self) { try verifier.verify(token, at: Self.now) }
        #expect(refusal?.code == .binding)
    }
}

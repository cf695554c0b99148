import CarnetResult
import Cryptography
import StrictEncoding
import Testing

/// Vectors as the RFCs print them.
@Suite("Vectors of the standards")
struct StandardVectorTests {
    private func key(_ x: String, _ y: String) throws -> JSONWebKey {
        let text = #"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#
        return try JSONWebKey(JSONDocument(parsing: Array(text.utf8), maximumByteCount: 1000).root)
    }

    @Test("The ES256 example of RFC 7515 Appendix A.3 verifies, and not under another key")
    func jws() throws {
        let token =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
            + "Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        let signer = try key(
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
        let jws = try CompactJWS(parsing: Array(token.utf8))
        #expect(jws.isSigned(by: try signer.publicKey()))
        #expect(!jws.isSigned(by: try PrivateKey.generate().publicKey))
        #expect(String(decoding: jws.payload, as: UTF8.self).hasPrefix(#"{"iss":"joe","#))
    }

    @Test("The proof key of RFC 9449 has the thumbprint of §6.1")
    func thumbprint() throws {
        let holder = try key(
            "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA")
        #expect(holder.thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
    }

    @Test("Alice's point and Bob's key of RFC 7518 Appendix C agree on Z")
    func agreement() throws {
        let alice = try key(
            "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps")
        // PKCS #8 around Bob's d and his point.
        let bob = try #require(
            Hexadecimal.decode(
                "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420"
                    + "5449836690d75caf29f0dd029ddb31b3ddb8aba9d2d515c5012465e817d4a9dc"
                    + "a14403420004c1e349cb61ec70248ce801034c3834e1b88ebe1161cb25af38741f785fcfc4c4"
                    + "7bc96708ef80952b53f8d2555fe72b841ed04588628b1d378a594939500ec9c9"))
        let key = try PrivateKey(pkcs8: bob)
        #expect(try JSONWebKey(key.publicKey).x == Base64URL.decode("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"))
        #expect(
            Hexadecimal.encode(try key.sharedSecret(with: alice.publicKey()))
                == "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4")
    }
}

import Cryptography
import Fixtures
import StrictEncoding
import Testing

@testable import CarnetResult

/// Published exchanges from the private keys on: what two parties agree, and the key that Concat KDF makes of it.
@Suite("ECDH-ES as published")
struct KeyAgreementVectorTests {
    /// A P-256 key from its `d` (RFC 5915 inside RFC 5208; the public key is computed).
    private func key(_ d: String) throws -> PrivateKey {
        let prefix = [UInt8](
            hex: "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420")
        return try PrivateKey(pkcs8: prefix + #require(Base64URL.decode(d)))
    }

    private func jwk(_ x: String, _ y: String) throws -> JSONWebKey {
        try JSONWebKey(
            JSONDocument(
                parsing: Array(#"{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)"}"#.utf8), maximumByteCount: 1024
            ).root)
    }

    /// RFC 7518 Appendix C: Alice's ephemeral key, Bob's key, `A128GCM`.
    @Test("RFC 7518 Appendix C, from the two keys to the derived one")
    func appendixC() throws {
        let alice = try key("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo")
        let bob = try key("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw")
        let ephemeral = try jwk(
            "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps")
        let recipient = try jwk(
            "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ", "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck")
        #expect(try JSONWebKey(alice.publicKey) == ephemeral && JSONWebKey(bob.publicKey) == recipient)
        let shared = try alice.sharedSecret(with: recipient.publicKey())
        #expect(try bob.sharedSecret(with: ephemeral.publicKey()) == shared)
        #expect(shared.hex.hasPrefix("9e56d91d817135d3") && shared.count == 32)
        let derived = SecretMessage.deriveKey(
            shared, algorithm: "A128GCM", producerInfo: Array("Alice".utf8), recipientInfo: Array("Bob".utf8), bits: 128
        )
        #expect(Base64URL.encode(derived) == "VqqN6vgjbSBcIijNcacQGg")
    }

    /// RFC 7520 §5.5: direct agreement for `A128CBC-HS256`, 256 bits, without apu and apv.
    @Test("RFC 7520 §5.5, a derived key of 256 bits")
    func cookbookDirect() throws {
        let holder = try key("r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8")
        let ephemeral = try jwk(
            "mPUKT_bAWGHIhg0TpjjqVsP1rXWQu_vwVOHHtNkdYoA", "8BQAsImGeAS46fyWw5MhYfGTT0IjBpFw2SS34Dv4Irs")
        let shared = try holder.sharedSecret(with: ephemeral.publicKey())
        let derived = SecretMessage.deriveKey(shared, algorithm: "A128CBC-HS256", recipientInfo: [])
        #expect(Base64URL.encode(derived) == "hzHdlfQIAEehb8Hrd_mFRhKsKLEzPfshfXs9l6areCc")
    }

    /// RFC 7520 §5.4 (P-384, `ECDH-ES+A128KW`, `A128GCM`) and §5.5: well made, and not what Carnet opens.
    @Test("The cookbook's messages are of other algorithms, and refused before any key is agreed")
    func cookbookMessages() throws {
        for (algorithm, cipher, encryptedKey) in [
            ("ECDH-ES+A128KW", "A128GCM", "0DJjBXri_kBcC46IkU5_Jk9BqaQeHdv2"), ("ECDH-ES", "A128CBC-HS256", ""),
        ] {
            let header =
                #"{"alg":"\#(algorithm)","kid":"peregrin.took@tuckborough.example","epk":{"kty":"EC","crv":"P-256","x":"mPUKT_bAWGHIhg0TpjjqVsP1rXWQu_vwVOHHtNkdYoA","y":"8BQAsImGeAS46fyWw5MhYfGTT0IjBpFw2SS34Dv4Irs"},"enc":"\#(cipher)"}"#
            let message =
                Base64URL.encode(Array(header.utf8)) + ".\(encryptedKey).mH-G2zVqgztUtnW_.tkZu.WuGzxmcreYjpHGJoa17EBg"
            #expect(throws: JOSEError.invalidMessage("alg is not ECDH-ES+A256KW")) {
                try SecretMessage.open(Array(message.utf8)) { _ in
                    Issue.record("a key was agreed")
                    return []
                }
            }
        }
    }
}

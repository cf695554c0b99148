import Fixtures
import TPM2

/// A quote, its signature and its key, made by tpm2-tools on a software TPM and kept beside the checkout.
struct QuoteVector {
    let key: TPM.Public
    let attest: [UInt8]
    let signature: [UInt8]

    /// `.pub` files are TPM2B_PUBLIC: two bytes of size before the structure.
    init(key: String, attest: String, signature: String) throws {
        self.key = try TPM.Public(parsing: Array(SharedFixtures.bytes(key).dropFirst(key.hasSuffix(".pub") ? 2 : 0)))
        self.attest = try SharedFixtures.bytes(attest)
        self.signature = try SharedFixtures.bytes(signature)
    }

    func verifies() -> Bool {
        guard let signature = try? TPM.Signature(parsing: signature) else { return false }
        return key.isValid(signature, over: attest)
    }
}

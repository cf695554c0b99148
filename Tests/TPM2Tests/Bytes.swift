import Fixtures
import TPM2

extension [UInt8] {
    var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    init(hex: String) {
        var digits = hex[...]
        var bytes: [UInt8] = []
        while let byte = UInt8(digits.prefix(2), radix: 16) {
            bytes.append(byte)
            digits = digits.dropFirst(2)
        }
        self = bytes
    }

    func flipping(bit: Int) -> [UInt8] {
        var copy = self
        copy[bit / 8] ^= 1 << UInt8(bit % 8)
        return copy
    }
}

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

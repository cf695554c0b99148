internal import Cryptography

/// The key derivation functions of the TPM 2.0 Library, Part 1 §11.4.10.
enum KeyDerivation {
    /// KDFa (SP 800-108 in counter mode with HMAC): HMAC(K, i ‖ label ‖ 00 ‖ U ‖ V ‖ bits).
    static func a(
        _ hash: HashAlgorithm, key: [UInt8], label: StaticString, _ contextU: [UInt8], _ contextV: [UInt8], bits: UInt32
    ) -> [UInt8] {
        expand(hash, bits: bits) { counter in
            HMAC.authenticationCode(hash, key: key, counter, terminated(label), contextU, contextV, bytes(of: bits))
        }
    }

    /// KDFe (SP 800-56A): H(i ‖ Z ‖ label ‖ 00 ‖ PartyU ‖ PartyV).
    static func e(
        _ hash: HashAlgorithm, sharedSecret: [UInt8], label: StaticString, _ partyU: [UInt8], _ partyV: [UInt8],
        bits: UInt32
    ) -> [UInt8] {
        expand(hash, bits: bits) { counter in hash.hash(counter, sharedSecret, terminated(label), partyU, partyV) }
    }

    /// A label with the zero byte that ends it.
    static func terminated(_ label: StaticString) -> [UInt8] {
        Array(UnsafeBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount)) + [0]
    }

    private static func expand(_ hash: HashAlgorithm, bits: UInt32, _ block: ([UInt8]) -> [UInt8]) -> [UInt8] {
        let count = Int(bits / 8)
        var output: [UInt8] = []
        var counter: UInt32 = 1
        while output.count < count {
            output += block(bytes(of: counter))
            counter += 1
        }
        return Array(output.prefix(count))
    }

    private static func bytes(of value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }
}

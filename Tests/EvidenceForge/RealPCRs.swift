import Fixtures
package import TPM2

/// PCR values as tpm2-tools prints them: a bank, then lines of `index : 0xvalue`.
package enum RealPCRs {
    /// The values of one of the shared files.
    package static func values(_ path: String) throws -> [TPM.AlgorithmID: [Int: [UInt8]]] {
        var bank: TPM.AlgorithmID?
        var values: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        for line in try String(decoding: SharedFixtures.bytes(path), as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":").map { $0.filter { $0 != " " } }
            if let name = parts.first, let named = TPM.AlgorithmID(hashNamed: name) { bank = named }
            guard let bank, parts.count == 2, let pcr = Int(parts[0]), parts[1].hasPrefix("0x") else { continue }
            values[bank, default: [:]][pcr] = Base16.decode(String(parts[1].dropFirst(2)))
        }
        return values
    }
}

/// Hexadecimal text of fixtures, white space around it allowed.
package enum Base16 {
    /// The bytes, or `nil` for an odd digit.
    package static func decode(_ text: String) -> [UInt8]? {
        let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
        guard digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

internal import StrictEncoding
public import TPM2

/// PCR values as tpm2-tools prints them: a bank, then lines of `index : 0xvalue`.
public enum RealPCRs {
    /// The values of one of the shared files.
    public static func values(_ path: String) throws -> [TPM.AlgorithmID: [Int: [UInt8]]] {
        var bank: TPM.AlgorithmID?
        var values: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        for line in try String(decoding: SharedFixtures.bytes(path), as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":").map { $0.filter { $0 != " " } }
            if let name = parts.first, let named = TPM.AlgorithmID(hashNamed: name) { bank = named }
            guard let bank, parts.count == 2, let pcr = Int(parts[0]), parts[1].hasPrefix("0x") else { continue }
            values[bank, default: [:]][pcr] = Hexadecimal.decode(parts[1].dropFirst(2))
        }
        return values
    }
}

internal import Cryptography

/// One pass over a list's bytes with one register.
struct IMAReplayWalk: ~Copyable {
    /// How many entries are behind.
    private(set) var position = 0
    /// The positions of the violations behind.
    private(set) var violations: [Int] = []

    private let list: IMAList
    private let pcr: Int
    /// Whether SHA-1 digests are what is extended.
    private let standsOnSHA1: Bool
    private let ones: [UInt8]
    private var chain: HashChain

    enum End {
        case reached
        case exhausted
        /// At ``position``.
        case wrongStatedDigest
    }

    /// A walk from a register that holds `value`; `nil` when that is not as long as the bank's digests.
    init?(_ list: IMAList, _ bank: HashAlgorithm, _ mode: IMAReplay.Mode, _ pcr: Int, startingAt value: [UInt8]) {
        guard let chain = HashChain(bank, startingAt: value) else { return nil }
        self.list = list
        self.pcr = pcr
        standsOnSHA1 = mode == .paddedSHA1 || bank == .insecureSHA1
        ones = [UInt8](repeating: 0xFF, count: bank.byteCount)
        self.chain = chain
    }

    /// Extends until the register holds `quoted`.
    mutating func run(to quoted: [UInt8]) -> End {
        guard quoted.count == ones.count else { return .exhausted }
        if chain.holds(quoted) { return .reached }
        let bytes = list.bytes
        return bytes.withUnsafeBytes { buffer in
            for start in list.starts {
                let start = Int(start)
                guard IMAEntry.uint32(bytes, start) == pcr else {
                    position += 1
                    continue
                }
                guard extend(bytes, buffer, start) else { return .wrongStatedDigest }
                position += 1
                if chain.holds(quoted) { return .reached }
            }
            return .exhausted
        }
    }

    /// Extends with one entry; false when SHA-1 is extended and the entry states another digest.
    private mutating func extend(_ bytes: [UInt8], _ buffer: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        guard !IMAEntry.isViolation(bytes, start) else {
            violations.append(position)
            ones.withUnsafeBytes { chain.extend(with: $0) }
            return true
        }
        let layout = IMAEntry.layout(bytes, start)
        guard standsOnSHA1 else {
            if layout.isLegacy {
                list[position].hashedData.withUnsafeBytes { chain.extend(withDigestOf: $0) }
            } else {
                chain.extend(withDigestOf: UnsafeRawBufferPointer(rebasing: buffer[layout.data]))
            }
            return true
        }
        let digest =
            layout.isLegacy
            ? HashAlgorithm.insecureSHA1.hash(list[position].hashedData)
            : HashAlgorithm.insecureSHA1.hash(UnsafeRawBufferPointer(rebasing: buffer[layout.data]))
        guard digest.elementsEqual(bytes[(start + 4)..<(start + 24)]) else { return false }
        digest.withUnsafeBytes { chain.extend(with: $0) }
        return true
    }
}

import Cryptography
import Testing

/// A key keeps its verification context from one signature to the next; nobody may notice.
@Suite("One key, many signatures")
struct RepeatedVerificationTests {
    @Test("A refused signature, and another hash, leave nothing behind for the next")
    func alternation() throws {
        let key = try PrivateKey.generate()
        let message: [UInt8] = [1, 2, 3], other: [UInt8] = [1, 2, 4]
        let signatures = try [HashAlgorithm.sha256, .sha384].map { try key.ecdsaSignature(over: message, $0) }
        for round in 0..<20 {
            let (good, bad) = round % 2 == 0 ? (0, 1) : (1, 0)
            let hash: HashAlgorithm = good == 0 ? .sha256 : .sha384
            #expect(key.publicKey.isValidECDSASignature(fixedWidth: signatures[good], over: message, hash))
            #expect(!key.publicKey.isValidECDSASignature(fixedWidth: signatures[bad], over: message, hash))
            #expect(!key.publicKey.isValidECDSASignature(fixedWidth: signatures[good], over: other, hash))
            #expect(!key.publicKey.isValidECDSASignature(fixedWidth: [0], over: message, hash))
        }
        #expect(!key.publicKey.isValidECDSASignature(fixedWidth: signatures[0], over: message, .insecureSHA1))
    }

    @Test("Many threads that share a key get the answers that one would")
    func concurrency() async throws {
        let key = try PrivateKey.generate(.p384)
        let publicKey = key.publicKey
        let messages = (0..<8).map { [UInt8($0)] }
        let signatures = try messages.map { try key.ecdsaSignature(over: $0, .sha384) }
        let wrong = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<50).count { round in
                        let mine = (task + round) % 8
                        let isValid = publicKey.isValidECDSASignature(
                            fixedWidth: signatures[mine], over: messages[task], .sha384)
                        return isValid != (mine == task)
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}

import CarnetLedger
import CarnetService
package import CarnetStorage
import Cryptography
import StrictEncoding

extension Ledger {
    /// The ledger in `database`, with this service's own chain.
    ///
    /// - Parameters:
    ///   - chain: The chain's name, if the configuration gives one.
    ///   - path: Where the name is kept that is made otherwise. A service that comes back goes on with its chain.
    package static func open(
        _ database: any SQLDatabase, chain: String?, nameFile path: String, form: RecordsForm
    ) throws -> Ledger {
        if let chain { return Ledger(database, writer: chain, form: form) }
        if let bytes = try PrivateFile.read(path, maximumByteCount: 256) {
            let name = String(decoding: bytes.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            guard LedgerEntryRecord.isChainName(name) else {
                throw ServiceStartError.unreadable(path, "it does not hold a chain's name. Remove it for a new one.")
            }
            return Ledger(database, writer: name, form: form)
        }
        let name = Hexadecimal.encode(SecureRandom.bytes(8))
        try PrivateFile.create(path, Array((name + "\n").utf8))
        return Ledger(database, writer: name, form: form)
    }
}

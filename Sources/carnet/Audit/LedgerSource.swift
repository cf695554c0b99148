import CarnetClient
import CarnetAttester
import CarnetCommandLine
import CarnetLedger
import StrictEncoding

/// The ledger of a verifier, read page by page.
struct LedgerSource {
    let connection: ServiceConnection

    /// A chain that the verifier has.
    struct Chain {
        let name: String
        let last: Int64
    }

    /// All chains by name.
    func chains() async throws -> [Chain] {
        let nodes = try await OperatorOptions.send("GET", "/admin/v1/ledger/chains", over: connection)
        return (nodes?["chains"]?.elements ?? []).compactMap { node in
            guard let name = node["chain"]?.string, let last = node["last"]?.integer else { return nil }
            return Chain(name: name, last: last)
        }
    }

    /// Asks for a checkpoint of the ledger as it is now.
    ///
    /// - Returns: Its number.
    func makeCheckpoint() async throws -> Int64 {
        let answer = try await OperatorOptions.send("POST", "/admin/v1/ledger/checkpoints", over: connection)
        guard let number = answer?["number"]?.integer else {
            throw Failure(.unreachable, "The verifier's answer has no checkpoint.")
        }
        return number
    }

    /// The checkpoints after a number, up to another.
    func checkpoints(
        after first: Int64, through end: Int64 = .max, _ body: ([UInt8]) throws -> Void
    ) async throws {
        var last = first
        while last < end {
            let answer = try await OperatorOptions.send(
                "GET", "/admin/v1/ledger/checkpoints?after=\(last)&limit=500", over: connection)
            let nodes = answer?["checkpoints"]?.elements ?? []
            for node in nodes {
                guard let number = node["number"]?.integer, let statement = node["statement"]?.string, number > last
                else { throw Failure(.unreachable, "The verifier's answer has no checkpoints.") }
                guard number <= end else { return }
                last = number
                try body(Array(statement.utf8))
            }
            if nodes.isEmpty { return }
        }
    }

    /// The lines of a chain after an entry and up to another, without their ends.
    func lines(
        of chain: String, after first: Int64, through end: Int64 = .max, _ body: ([UInt8], Int64) throws -> Void
    ) async throws {
        var last = first
        while last < end {
            let limit = end == .max ? 1000 : min(1000, end - last)
            let page = try await connection.send(
                "GET", "/admin/v1/ledger/entries?chain=\(chain)&after=\(last)&limit=\(limit)",
                maximumByteCount: 16 << 20
            ).body
            guard !page.isEmpty else { return }
            for line in page.split(separator: UInt8(ascii: "\n")) {
                let bytes = Array(line)
                // What cannot be read has to be told, and there is nothing to go on from.
                guard let number = LedgerLine(parsing: bytes)?.place?.number else { return try body(bytes, last) }
                guard number > last else {
                    throw Failure(.unreachable, "The verifier answers with entries that were not asked for.")
                }
                last = number
                try body(bytes, number)
            }
        }
    }
}

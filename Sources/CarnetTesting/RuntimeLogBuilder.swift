public import Cryptography
internal import StrictEncoding
internal import TPM2

/// Writes a log of the running system as systemd does: JSON texts, each behind a record separator (RFC 7464).
public struct RuntimeLogBuilder: Sendable {
    /// The banks in which everything is measured.
    public let banks: [HashAlgorithm]
    /// The log so far.
    public private(set) var bytes: [UInt8] = []
    /// What was extended, in order: for each record its PCR and its digest in each bank.
    public private(set) var measurements: [(pcr: Int, digests: [HashAlgorithm: [UInt8]])] = []

    /// A log without records.
    public init(banks: [HashAlgorithm] = [.sha256]) { self.banks = banks }

    /// Adds a measurement of a text.
    ///
    /// - Parameter kind: systemd's name for what it is, as in `phase`, `machine-id` or `filesystem`.
    public mutating func add(pcr: Int, _ text: String, kind: String = "phase") {
        let banks = banks, number = Int64(clamping: measurements.count)
        let digests = Dictionary(uniqueKeysWithValues: banks.map { ($0, $0.hash(Array(text.utf8))) })
        let record = JSONWriter.object { writer in
            writer.integer("pcr", Int64(clamping: pcr))
            writer.array("digests") { writer in
                for bank in banks {
                    writer.object { writer in
                        writer.string("hashAlg", TPM.AlgorithmID(bank).description)
                        writer.string("digest", Hexadecimal.encode(digests[bank] ?? []))
                    }
                }
            }
            writer.string("content_type", "systemd")
            writer.object("content") { writer in
                writer.string("string", text)
                writer.string("bootId", String(repeating: "0", count: 32))
                writer.integer("timestamp", 1_000_000 + number)
                writer.string("eventType", kind)
            }
        }
        bytes += [0x1E] + record + [0x0A]
        measurements.append((pcr, digests))
    }
}

internal import Cryptography
internal import Foundation
internal import StrictEncoding
internal import TPM2

/// A phase of the boot that is entered on purpose: its word goes into a PCR, and what was sealed to the PCR before is out of reach.
public struct BootPhase: Sendable, Hashable {
    /// The PCR that systemd's phases extend, too.
    public static let standardPCR = 11
    /// The PCRs that a phase may extend: those of the running system whose records a verifier takes.
    public static let pcrs = [11, 12, 13, 15, 23]

    /// 1 to 32 of a to z, 0 to 9 and the hyphen.
    public let word: String

    /// A phase; `nil` when this is no word of one.
    public init?(_ word: String) {
        let isWord = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isWord, (1...32).contains(word.utf8.count) else { return nil }
        self.word = word
    }

    /// The word for a volume that is opened: `volume-`, and the first 12 bytes of its ``LUKS2Header/keyIdentity`` in hexadecimal.
    public init(opening header: LUKS2Header) {
        word = "volume-" + Hexadecimal.encode(Array(header.keyIdentity.prefix(12)))
    }

    /// The digest of the word in each bank.
    func digests(_ banks: [TPM.AlgorithmID]) -> [(bank: TPM.AlgorithmID, digest: [UInt8])] {
        banks.compactMap { bank in bank.hash.map { (bank, $0.hash(Array(word.utf8))) } }
    }

    /// The record of systemd's log for it: a JSON text behind a record separator (RFC 7464).
    func record(pcr: Int, _ banks: [TPM.AlgorithmID]) -> [UInt8] {
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        let record = JSONWriter.object { writer in
            writer.integer("pcr", Int64(pcr))
            writer.array("digests") { writer in
                for (bank, digest) in digests(banks) {
                    writer.object { writer in
                        writer.string("hashAlg", bank.description)
                        writer.string("digest", Hexadecimal.encode(digest))
                    }
                }
            }
            writer.string("content_type", "systemd")
            writer.object("content") { writer in
                writer.string("string", word)
                writer.string("bootId", boot.filter(\.isHexDigit))
                writer.integer("timestamp", microseconds)
                writer.string("eventType", "phase")
            }
        }
        return [0x1E] + record + [0x0A]
    }
}

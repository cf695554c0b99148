import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import StrictEncoding
import TPM2

extension RandomBoot {
    /// The three logs, one of them with one bit turned.
    struct Spoiled {
        /// Which bit of which log.
        let what: String
        var firmware: [UInt8]
        var running: [UInt8]
        var files: [UInt8]
    }

    /// The same machine's logs, spoiled in random places that a TPM speaks for: `count` times in each log.
    func spoiled(count: Int, _ numbers: inout SeededNumbers) throws -> [Spoiled] {
        var all: [Spoiled] = []
        let bits = try (firmware: firmwareBits(), running: runningBits(), files: fileBits())
        for _ in 0..<count {
            for (name, places) in [("firmware", bits.firmware), ("running", bits.running), ("files", bits.files)] {
                guard !places.isEmpty else { continue }
                let bit = numbers.element(places)
                var spoiled = Spoiled(
                    what: "bit \(bit) of \(name)", firmware: firmware.bytes, running: running.bytes, files: files.bytes)
                switch name {
                case "firmware": spoiled.firmware = spoiled.firmware.flipping(bit: bit)
                case "running": spoiled.running = spoiled.running.flipping(bit: bit)
                default: spoiled.files = spoiled.files.flipping(bit: bit)
                }
                all.append(spoiled)
            }
        }
        return all
    }

    private static func bits(_ bytes: Range<Int>) -> [Int] { Array((bytes.lowerBound * 8)..<(bytes.upperBound * 8)) }

    /// PCR, SHA-256 digest and size of each event that was extended. Types and data are not the TPM's to confirm.
    private func firmwareBits() throws -> [Int] {
        let log = try EventLog(parsing: firmware.bytes)
        let digests = firmware.banks.reduce(0) { $0 + 2 + $1.byteCount }
        return log.events.filter(\.isMeasured).flatMap { event in
            // TCG_PCR_EVENT2: PCR, type, number of digests, digests, size, data.
            let size = event.untrustedData.startIndex - 4, start = size - digests - 12
            let digest = event.digest(in: .sha256).map { $0.startIndex..<$0.endIndex } ?? 0..<0
            return Self.bits(start..<(start + 4)) + Self.bits(digest) + Self.bits(size..<(size + 4))
        }
    }

    /// PCR, length and template data of each entry; of a violation the zeros that mark it instead of its data.
    private func fileBits() throws -> [Int] {
        try IMAList(parsing: files.bytes).entries.flatMap { entry in
            let stated = entry.statedDigest, data = entry.templateData
            let covered = entry.isViolation ? stated.startIndex..<stated.endIndex : data.startIndex..<data.endIndex
            return Self.bits((stated.startIndex - 4)..<stated.startIndex) + Self.bits(covered)
                + Self.bits((data.startIndex - 4)..<data.startIndex)
        }
    }

    /// The digits of each record's PCR and of its SHA-256 digest, but for the bit that makes a letter a capital.
    private func runningBits() -> [Int] {
        var bits: [Int] = []
        let bytes = running.bytes
        var position = 0
        for measurement in running.measurements {
            let digest = Array(Hexadecimal.encode(measurement.digests[.sha256] ?? []).utf8)
            for text in [Array("\"pcr\":\(measurement.pcr)".utf8), digest] {
                guard let start = bytes[position...].firstRange(of: text) else { continue }
                position = start.upperBound
                let digits = text.starts(with: [0x22]) ? start.dropFirst(6) : start
                bits += Self.bits(digits).filter { $0 % 8 != 5 || bytes[$0 / 8] < 0x40 }
            }
        }
        return bits
    }
}

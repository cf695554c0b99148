internal import Cryptography
internal import TPM2

extension EventLog {
    /// The PCRs that the running system may extend: not the firmware's 0 to 7, not GRUB's 8, not IMA's, not shim's 14, not those of a
    /// dynamic launch.
    ///
    /// An event of firmware or boot loader that were moved here would escape every rule about their own events. Where both extend a PCR,
    /// 9 and 11 to 13, what the boot measures cannot pass for a text of systemd's: in PCR 9 by
    /// ``RuntimeRecord/isNvPCRInitialisation``, in PCR 11 because the stub measures a section's name with its zero, and in PCR 12 because
    /// command lines are UTF-16.
    private static let runtimePCRs: Set<Int> = [9, 11, 12, 13, 15, 16, 23]
    /// The PCRs that systemd-pcrosseparator closes, so that nothing later passes for the boot's (systemd 261): they get one word, which is
    /// always the same and hides nothing.
    private static let closedPCRs: Set<Int> = [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 14]

    /// This log, and behind its events the runtime log's measurements into PCRs: the two explain PCRs 9, 11, 12, 13 and 15 together.
    ///
    /// The new events replay, explain and summarise as the firmware's do. Banks in which systemd did not make every measurement can no
    /// longer be replayed.
    ///
    /// - Throws: ``RuntimeLogError/foreignPCR(record:pcr:)`` for a PCR that is not the running system's,
    ///   ``RuntimeLogError/foreignRecord(record:pcr:)`` for a record in PCR 9 that is not, and ``RuntimeLogError/alreadySpliced``.
    public func appending(_ runtime: RuntimeLog) throws(RuntimeLogError) -> EventLog {
        guard self.runtime == nil else { throw .alreadySpliced }
        var bytes = bytes
        var records = records
        for (index, record) in runtime.records.enumerated() {
            guard case .pcr(let pcr) = record.register else { continue }
            let isClosing = Self.closedPCRs.contains(pcr) && record.measures("os-separator")
            guard isClosing || Self.runtimePCRs.contains(pcr) else { throw .foreignPCR(record: index, pcr: pcr) }
            guard isClosing || pcr != 9 || record.isNvPCRInitialisation else {
                throw .foreignRecord(record: index, pcr: pcr)
            }
            let digestsStart = bytes.count
            for bank in banks {
                bytes += [0, 0]
                bytes += record.digests[bank.algorithm] ?? [UInt8](repeating: 0, count: bank.digestByteCount)
            }
            let dataStart = bytes.count
            bytes += Array((record.untrustedText ?? "").utf8)
            records.append(
                Record(
                    pcr: UInt32(pcr), type: EventType.runtimeMeasurement.rawValue, digestsStart: digestsStart,
                    dataStart: dataStart, dataEnd: bytes.count))
        }
        return EventLog(banks: banks, bytes: bytes, records: records, runtime: runtime)
    }
}

extension RuntimeRecord {
    /// Whether it is what systemd measures into PCR 9, and nothing that GRUB or the kernel read: the text that the digests cover is
    /// `nvpcr-separator`, or `nvpcr-init:` with one word behind it (systemd, TPM2 PCR measurements).
    ///
    /// Without this a file that is a text, as `grub.cfg`, could be a record of systemd's.
    fileprivate var isNvPCRInitialisation: Bool {
        guard let text = untrustedText, measures(text) else { return false }
        let isWord = text.utf8.starts(with: "nvpcr-init:".utf8) && text.utf8.allSatisfy(Self.isWordCharacter)
        return isWord || text.utf8.elementsEqual("nvpcr-separator".utf8)
    }

    /// Whether this is its text, byte for byte, and what every digest covers.
    fileprivate func measures(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return untrustedText?.utf8.elementsEqual(bytes) == true
            && digests.allSatisfy { bank, digest in bank.hash.map { $0.hash(bytes) == digest } ?? true }
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

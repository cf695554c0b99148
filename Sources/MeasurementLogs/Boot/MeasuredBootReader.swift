internal import Cryptography
internal import TPM2

/// One pass over a replayed log: each PCR's events have their own meaning (UAPI.7 Linux TPM PCR registry).
struct MeasuredBootReader {
    let replay: ReplayedEventLog
    let bank: TPM.AlgorithmID
    /// The name of the section whose content comes next in PCR 11, and its event.
    var pendingSection: (name: String, event: Int)?
    private var secureBoot = SecureBootReader()
    /// The variables of Secure Boot that were measured already.
    var seenVariables: Set<SeenVariable> = []

    struct SeenVariable: Hashable {
        let vendor: GUID
        let name: String
    }

    init(_ replay: ReplayedEventLog) {
        self.replay = replay
        bank = replay.bank
    }

    mutating func read(into boot: inout MeasuredBoot) {
        guard let algorithm = bank.hash else { return }
        let hash = RepeatedHash(algorithm)
        for event in replay.log.events where event.isMeasured {
            guard let digest = event.digest(in: bank) else { continue }
            if event.isRuntime {
                readRuntime(event, digest, hash, &boot)
                continue
            }
            if event.pcr < 8 {
                readFirmwareEvent(event, digest, hash, &boot)
            } else {
                readLoaderEvent(event, digest, hash, &boot)
            }
        }
        boot.secureBoot = secureBoot.result
        endSection(&boot)
        for pcr in 0..<8 where boot.separators[pcr] == nil {
            boot.irregularities.append(.init(kind: .missingSeparator, pcr: pcr, event: nil))
        }
        assignAuthorities(&boot)
        assignRoles(&boot)
    }

    private mutating func readFirmwareEvent(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ hash: borrowing RepeatedHash, _ boot: inout MeasuredBoot
    ) {
        let content = event.content(in: bank, hash)
        if event.pcr == 7 { secureBoot.read(content) }
        if boot.exitBootServicesSuccess != nil {
            boot.irregularities.append(.init(kind: .afterExitBootServices, pcr: event.pcr, event: event.index))
        }
        if readSeparator(event, digest, content, hash, &boot) { return }
        reportIfAlien(event, &boot)
        switch event.pcr {
        case 0: readFirmware(event, digest, content, &boot)
        case 2: readCode(event, digest, content, .driver, &boot)
        case 4: readCode(event, digest, content, .application, &boot)
        case 5: readBootManager(event, digest, content, &boot)
        case 7: readSecureBoot(event, content, &boot)
        default: readConfiguration(event, digest, content, hash, &boot)
        }
    }

    private mutating func readLoaderEvent(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ hash: borrowing RepeatedHash, _ boot: inout MeasuredBoot
    ) {
        reportIfAlien(event, &boot)
        switch event.pcr {
        case 8: readCommand(event, digest, hash, &boot)
        case 9: addObject(event, digest, .file, &boot)
        case 11: readSection(event, digest, hash, &boot)
        case 12: readCommandLine(event, digest, hash, &boot)
        case 13: addObject(event, digest, .systemExtension, &boot)
        case 14: addObject(event, digest, .mokList, &boot)
        default: addObject(event, digest, .other, &boot)
        }
    }

    /// Of a boot variable the value alone is measured, and a list of boot entries may have the four bytes of a separator or of an error.
    private func isBoundBootVariable(_ event: Event) -> Bool {
        event.pcr == 1 && event.untrustedType == .efiVariableBoot && event.binding(in: bank) == .bound
    }

    private func reportIfAlien(_ event: Event, _ boot: inout MeasuredBoot) {
        guard !event.untrustedType.belongs(inPCR: event.pcr) else { return }
        boot.irregularities.append(.init(kind: .alienType, pcr: event.pcr, event: event.index))
    }

    /// Separators by their digests, in the firmware's PCRs. Whether the event was one.
    private func readSeparator(
        _ event: Event, _ digest: ArraySlice<UInt8>, _ content: MeasuredContent, _ hash: borrowing RepeatedHash,
        _ boot: inout MeasuredBoot
    ) -> Bool {
        func report(_ kind: Irregularity.Kind) {
            boot.irregularities.append(.init(kind: kind, pcr: event.pcr, event: event.index))
        }
        if case .separator = content, isBoundBootVariable(event) { return true }
        if case .errorSeparator = content, isBoundBootVariable(event) { return true }
        switch content {
        case .separator:
            let isTrue =
                event.untrustedType == .separator && event.untrustedData.count == 4
                && hash.covers(event.untrustedData, digest: digest)
            if !isTrue { report(.mislabelledSeparator) }
            if isTrue, event.untrustedData.first == 0xFF {
                boot.quirks.append(.init(kind: .separatorOfOnes, event: event.index))
            }
            if boot.separators[event.pcr] == nil {
                boot.separators[event.pcr] = event.index
            } else {
                report(.secondSeparator)
            }
            return true
        case .errorSeparator:
            report(.errorSeparator)
            return true
        default:
            // Its data may be the error; a digest that is neither's is as bad.
            if event.untrustedType == .separator { report(.errorSeparator) }
            return false
        }
    }
}

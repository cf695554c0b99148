internal import CarnetEvidence
public import CarnetResult
internal import Cryptography
public import TPM2

/// Gives a volume a key that nobody knows: sealed by the TPM in the volume's header, and escrowed with a broker under another wrap of the
/// same TPM. Neither disk nor broker nor both open the volume without the machine.
///
/// It can be run again: what an interrupted run left is found and used.
public struct DiskEnrolment: Sendable {
    /// What is wanted.
    public struct Settings: Sendable {
        /// Under which name the broker keeps the volume's key.
        public var name: String
        /// A key that opens the volume now, which is tried in any case; `nil` where an earlier run left one of ours.
        public var existingKey: [UInt8]?
        /// Keys whose keyslots are removed at the end.
        public var keysToRemove: [[UInt8]] = []
        /// What they are called in messages, in the same order.
        public var namesOfKeysToRemove: [String] = []
        /// The state that was attested: to another the key is not sealed. `nil` for a passport that states none.
        public var attested: KeyState?
        /// The PCRs to which the key is sealed here where nobody named others: those of the verifier's policy.
        public var selection: TPM.PCRSelectionList
        /// The PCRs that somebody names, now and for each later sealing; `nil` for those that were named before.
        public var chosen: TPM.PCRSelectionList?
        /// Opens the volume too, in any state; empty for the one that was set before, if any.
        public var pin: [UInt8] = []
        /// Whether the key may take the place of another volume's that the broker keeps under this name.
        public var replacesEscrow = false
        /// An operator's P-256 key, to which the broker gets a copy encrypted.
        public var recoveryKey: JSONWebKey?

        /// Settings for a volume.
        public init(name: String, existingKey: [UInt8]?, selection: TPM.PCRSelectionList) {
            self.name = name
            self.existingKey = existingKey
            self.selection = selection
        }
    }

    let device: TPMDevice
    let volume: VolumeFile
    let broker: BrokerClient
    let settings: Settings
    let cryptsetup: Cryptsetup
    /// Seconds since 1970.
    let now: Int64

    /// An enrolment that has not begun.
    ///
    /// - Throws: ``DiskError`` when cryptsetup is not installed.
    public init(
        _ volume: VolumeFile, device: TPMDevice, broker: BrokerClient, settings: Settings, now: Int64
    ) throws(DiskError) {
        self.volume = volume
        self.device = device
        self.broker = broker
        self.settings = settings
        self.now = now
        cryptsetup = try Cryptsetup()
    }

    /// What an enrolment left.
    public struct Outcome: Sendable, Hashable {
        /// The keyslot of the key.
        public let keyslot: Int?
        /// Other keyslots that are still there, and that tokens named which were removed: of an earlier key, or of somebody else's.
        public let foreignKeyslots: [Int]
        /// The keyslots that were removed.
        public let removedKeyslots: [Int]
        /// To which PCRs the key is sealed.
        public let selection: TPM.PCRSelectionList
        /// Whether a PIN that was set is gone: it was for another key.
        public let losesPIN: Bool
    }

    /// What the steps hand on to one another.
    private struct Progress {
        /// What the broker kept when the run began.
        var escrows: [BrokerClient.Escrow] = []
        /// The key, and the PCRs that were named for it.
        var content = EscrowedKey(key: [], selection: nil)
        var key: [UInt8] { content.key }
        /// A key by which the volume takes another.
        var existingKey: [UInt8] = []
        /// What removed tokens said.
        var removed = DiskTokens.Removed()
        var removedKeyslots: [Int] = []
        var keyslot: Int?
        var version: Int64?
        /// The new tokens: that of the state, and one for the PIN where it was given.
        var tokens: [DiskToken] = []
    }

    /// Enrols the volume.
    ///
    /// - Parameter observe: Called before each step.
    /// - Throws: ``DiskError``, ``TPMDeviceError``, and what the broker says. What was done remains, and loses nothing.
    @discardableResult
    public func run(observing observe: (DiskStep) throws -> Void = { _ in }) async throws -> Outcome {
        var progress = Progress()
        let escrows = try await broker.escrows(of: settings.name)
        progress.escrows = escrows
        let found = try find(escrows)
        try requireKeysToRemove(notIn: found?.keyslot)
        progress.existingKey = try existingKey(isEnrolled: found != nil, brokerKeepsNone: escrows.isEmpty)
        progress.content = EscrowedKey(
            key: found?.content.key ?? [], selection: settings.chosen ?? found?.content.selection)
        if let found {
            progress.keyslot = found.keyslot
            progress.version = found.version
        }
        let findings = EnrolmentFindings(
            hasKey: found != nil, wantsRecovery: settings.recoveryKey != nil,
            changesPCRs: found.map { $0.content != progress.content } ?? false,
            removesKeys: !settings.keysToRemove.isEmpty)
        for step in findings.steps {
            try observe(step)
            try await take(step, &progress)
        }
        let foreign = progress.removed.keyslots.intersection(try volume.header().keyslots)
        return Outcome(
            keyslot: progress.keyslot, foreignKeyslots: foreign.filter { $0 != progress.keyslot }.sorted(),
            removedKeyslots: progress.removedKeyslots.sorted(), selection: selection(progress),
            losesPIN: progress.removed.losesPIN)
    }

    private func selection(_ progress: Progress) -> TPM.PCRSelectionList {
        progress.content.selection ?? settings.selection
    }

    private func take(_ step: DiskStep, _ progress: inout Progress) async throws {
        let tokens = DiskTokens(device: device, volume: volume, cryptsetup: cryptsetup)
        switch step {
        case .makeKey:
            progress.content = EscrowedKey(key: SecureRandom.bytes(32), selection: progress.content.selection)
        case .escrow:
            try await makeRoom(progress.escrows)
            progress.version = try await escrow(progress.content)
        case .checkEscrow: try await checkEscrow(progress.content, progress.version)
        case .addKeyslot:
            try requireCompleteHeader()
            try cryptsetup.addKey(progress.key, to: volume, knowing: progress.existingKey)
        case .checkKeyslot:
            try requireCompleteHeader()
            progress.keyslot = try keyslot(openedBy: progress.key)
            guard progress.keyslot != nil else {
                throw DiskError(
                    .unavailable, "The key that was added does not open \(volume.path). Nothing was removed. Try again."
                )
            }
        case .addToken:
            guard let keyslot = progress.keyslot else { return }
            let state = try device.state(selection(progress), attested: settings.attested)
            progress.tokens = [
                try tokens.add(progress.key, keyslot: keyslot, name: settings.name, .state(state), now: now)
            ]
            guard !settings.pin.isEmpty else { return }
            progress.tokens.append(
                try tokens.add(
                    progress.key, keyslot: keyslot, name: settings.name, .pin, pin: settings.pin, now: now))
        case .checkToken: for token in progress.tokens { try tokens.check(token, progress.key, pin: settings.pin) }
        case .removeOlderTokens:
            guard let keyslot = progress.keyslot else { return }
            progress.removed = try tokens.removeOthers(than: progress.tokens, keyslot: keyslot)
        case .forgetOlderEscrows: try await forgetOlderEscrows(progress.key, progress.version)
        case .report:
            try await broker.report(.init(pcrs: selection(progress).text, sealedAt: now), of: settings.name)
        case .removeKeys: progress.removedKeyslots = try removeKeys(keeping: progress.keyslot)
        }
    }

    private func requireCompleteHeader() throws(DiskError) {
        guard try volume.header().isComplete else {
            throw DiskError(
                .unreadable,
                "One copy of the header of \(volume.path) is damaged or older than the other. Repair it with `cryptsetup repair`, and try again."
            )
        }
    }
}

internal import CarnetEvidence
internal import Cryptography
public import TPM2

/// Opens a volume: with the key that the TPM sealed to the machine's state, else with the PIN, else with the key that a broker keeps.
public struct DiskUnlocking: Sendable {
    /// By which way the key came.
    public enum Way: String, Sendable, Encodable {
        /// The TPM opened what is in the header: the state is the one to which it was sealed.
        case sealed
        /// The TPM opened it for the PIN.
        case pin
        /// The broker gave it.
        case escrow
    }

    /// What the key is for.
    public enum Purpose: Sendable, Hashable {
        /// To see that it opens the volume.
        case test
        /// To open it as `/dev/mapper/NAME`.
        case open(as: String)
    }

    /// A key that opened the volume.
    public struct Opened: Sendable {
        public let way: Way
        let key: [UInt8]
        public let keyslot: Int
        /// The PCRs that somebody named for the key, for the next sealing; `nil` for those of the verifier's policy, and where the key came from the header.
        public let selection: TPM.PCRSelectionList?
    }

    /// What the machine could do by itself.
    public struct Attempt: Sendable {
        /// What opened the volume.
        public internal(set) var opened: Opened?
        /// Why nothing did, a sentence each.
        public internal(set) var reasons: [String] = []
        /// Whether it may be otherwise soon: the TPM is locked out or busy.
        public internal(set) var isTemporary = false
    }

    let device: TPMDevice
    let volume: VolumeFile
    let cryptsetup: Cryptsetup
    /// The header as it was checked; what happens to the disk meanwhile does not matter.
    let header: LUKS2Header
    private let copy: HeaderCopy
    /// The newest name under which the volume is escrowed, by its header.
    public var name: String? { DiskTokens.list(header).first?.disk.volume }
    /// Whether the header has a token of Carnet's.
    public var hasToken: Bool { name != nil }
    /// Whether it has one that a PIN opens.
    public var hasPIN: Bool { DiskTokens.list(header).contains { $0.disk.sealed.policy.hasPIN } }

    /// Reads and checks the header.
    ///
    /// - Throws: ``DiskError`` when it is not accepted, or cryptsetup is not installed.
    public init(_ volume: VolumeFile, device: TPMDevice) throws(DiskError) {
        self.volume = volume
        self.device = device
        cryptsetup = try Cryptsetup()
        header = try volume.header()
        copy = try volume.copy(of: header)
    }

    /// Opens the volume with what the machine has: the keys that are sealed to its state, each, and then for the PIN one.
    ///
    /// - Parameters:
    ///   - pin: Tried with one token, the newest that this TPM made: it counts wrong ones, and whoever writes to the disk could have it count many.
    ///   - demand: To what a key must be sealed to be asked for without the PIN.
    ///   - now: Seconds since 1970, for the order of the tokens.
    /// - Returns: What opened it, or why nothing did.
    /// - Throws: ``DiskError`` when the key is right and the volume cannot be opened.
    public func openHere(
        _ purpose: Purpose, pin: [UInt8]? = nil, demand: TokenDemand = TokenDemand(nil), now: Int64
    ) throws(DiskError) -> Attempt {
        let tokens = DiskTokens.list(header)
        var result = Attempt()
        if tokens.isEmpty { result.reasons = ["The header has no token of Carnet: the volume is not enrolled."] }
        for token in tokens where token.disk.sealed.policy.condition != .pin {
            if let refusal = demand.refusal(of: token.disk.sealed.policy) {
                result.reasons.append("Token \(token.number) is not used: \(refusal).")
                continue
            }
            try attempt(token, .sealed, purpose, &result) { () throws(TPMDeviceError) in
                try device.unseal(token.disk.sealed)
            }
            if result.opened != nil { return result }
        }
        guard let pin else { return result }
        if let token = DiskTokens.forPIN(tokens, now: now).first(where: { device.loads($0.disk.sealed) }) {
            try attempt(token, .pin, purpose, &result) { () throws(TPMDeviceError) in
                try device.unseal(token.disk.sealed, byPIN: pin)
            }
        } else {
            result.reasons.append("The header has no token of this TPM's for a PIN.")
        }
        return result
    }

    /// Opens the volume with the key of a token, or notes why not.
    private func attempt(
        _ token: DiskTokens.Found, _ way: Way, _ purpose: Purpose, _ result: inout Attempt,
        _ unseal: () throws(TPMDeviceError) -> [UInt8]
    ) throws(DiskError) {
        let key: [UInt8]
        do throws(TPMDeviceError) {
            key = try unseal()
        } catch {
            if [.busy, .unavailable].contains(error.code) { result.isTemporary = true }
            result.reasons.append((error.code == .stateChanged ? change(token) : nil) ?? error.description)
            return
        }
        result.opened = try opened(EscrowedKey(key: key, selection: nil), way, purpose)
        if result.opened == nil {
            result.reasons.append("Token \(token.number) gave a key that opens nothing: somebody put it there.")
        }
    }

    /// Which PCRs changed since a token was sealed, without advice: what can be done next is tried at once. `nil` when none did.
    private func change(_ token: DiskTokens.Found) -> String? {
        guard case .state(let sealed) = token.disk.sealed.policy.condition, !token.disk.sealed.policy.hasPIN,
            let now = try? device.state(sealed.selection)
        else { return nil }
        let changes = sealed.changes(in: now)
        return changes.isEmpty
            ? nil
            : "The TPM does not open token \(token.number): PCR \(changes.joined(separator: ", ")) holds another value than when it was sealed."
    }

    /// Opens the volume with what the broker keeps.
    ///
    /// - Throws: ``DiskError``, and what the broker says.
    public func open(_ purpose: Purpose, from broker: BrokerClient, name: String) async throws -> Opened {
        let escrows = try await broker.escrows(of: name)
        for escrow in escrows {
            if let content = DiskEnrolment.open(escrow, device), let opened = try opened(content, .escrow, purpose) {
                return opened
            }
        }
        throw DiskError(
            .refused,
            escrows.isEmpty
                ? "The broker keeps nothing for the volume \(name) of this machine. Where it was enrolled as another machine before, open it with the operators' recovery key (`carnet escrow recover`) or the PIN, and enrol it with `carnet-agent disk enrol --key-file`."
                : "What the broker keeps for \(name) does not open \(volume.path): it is of another TPM or another volume. Use the recovery key."
        )
    }

    private func opened(_ content: EscrowedKey, _ way: Way, _ purpose: Purpose) throws(DiskError) -> Opened? {
        let key = content.key
        guard let keyslot = try cryptsetup.keyslot(openedBy: key, of: volume, copy) else { return nil }
        if case .open(let name) = purpose { try cryptsetup.open(volume, copy, with: key, as: name) }
        return Opened(way: way, key: key, keyslot: keyslot, selection: content.selection)
    }

    /// Opens the volume with a key that was tried before.
    public func finish(_ opened: Opened, _ purpose: Purpose) throws(DiskError) {
        if case .open(let name) = purpose { try cryptsetup.open(volume, copy, with: opened.key, as: name) }
    }

    /// Seals the key to the state that the machine is in now: first the new token, then the older ones go, save the one that only the PIN
    /// opens.
    ///
    /// The PCRs are the caller's to name: what the header says is whoever's who wrote to the disk.
    ///
    /// - Parameters:
    ///   - attested: The state for which the key was released: to another it is not sealed.
    ///   - observe: Called before each step.
    public func reseal(
        _ opened: Opened, name: String, selection: TPM.PCRSelectionList, attested: KeyState?, now: Int64,
        observing observe: (DiskStep) throws -> Void = { _ in }
    ) throws {
        let tokens = DiskTokens(device: device, volume: volume, cryptsetup: cryptsetup)
        try observe(.addToken)
        let token = try tokens.add(
            opened.key, keyslot: opened.keyslot, name: name, .state(device.state(selection, attested: attested)),
            now: now)
        try observe(.checkToken)
        try tokens.check(token, opened.key)
        try observe(.removeOlderTokens)
        try tokens.removeOthers(than: [token], keyslot: opened.keyslot)
    }

    /// Tells the broker to what the key is sealed.
    public func report(_ selection: TPM.PCRSelectionList, to broker: BrokerClient, name: String, now: Int64)
        async throws
    {
        try await broker.report(.init(pcrs: selection.text, sealedAt: now), of: name)
    }
}

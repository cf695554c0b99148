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
        let keyslot: Int
    }

    let device: TPMDevice
    let volume: VolumeFile
    let cryptsetup: Cryptsetup
    /// The header as it was checked; what happens to the disk meanwhile does not matter.
    let header: LUKS2Header
    private let copy: HeaderCopy
    /// The newest name under which the volume is escrowed, by its header.
    public var name: String? { DiskTokens.list(header).first?.disk.volume }

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
    ) throws(DiskError) -> (opened: Opened?, reasons: [String]) {
        let tokens = DiskTokens.list(header)
        var reasons = tokens.isEmpty ? ["The header has no token of Carnet: the volume is not enrolled"] : []
        for token in tokens {
            if let refusal = demand.refusal(of: token.disk.sealed.policy) {
                reasons.append("Token \(token.number) is not used: \(refusal).")
                continue
            }
            let opened = try attempt(token, .sealed, purpose, &reasons) { () throws(TPMDeviceError) in
                try device.unseal(token.disk.sealed)
            }
            if let opened { return (opened, []) }
        }
        guard let pin else { return (nil, reasons) }
        if let token = DiskTokens.forPIN(tokens, now: now).first(where: { device.loads($0.disk.sealed) }) {
            let opened = try attempt(token, .pin, purpose, &reasons) { () throws(TPMDeviceError) in
                try device.unseal(token.disk.sealed, byPIN: pin)
            }
            if let opened { return (opened, []) }
        } else {
            reasons.append("The header has no token of this TPM's for a PIN.")
        }
        return (nil, reasons)
    }

    /// Opens the volume with the key of a token, or notes why not.
    private func attempt(
        _ token: DiskTokens.Found, _ way: Way, _ purpose: Purpose, _ reasons: inout [String],
        _ unseal: () throws(TPMDeviceError) -> [UInt8]
    ) throws(DiskError) -> Opened? {
        let key: [UInt8]
        do throws(TPMDeviceError) {
            key = try unseal()
        } catch {
            reasons.append(error.description)
            return nil
        }
        if let opened = try opened(key, way, purpose) { return opened }
        reasons.append("Token \(token.number) gave a key that opens nothing: somebody put it there.")
        return nil
    }

    /// Opens the volume with what the broker keeps.
    ///
    /// - Throws: ``DiskError``, and what the broker says.
    public func open(_ purpose: Purpose, from broker: BrokerClient, name: String) async throws -> Opened {
        let escrows = try await broker.escrows(of: name)
        for escrow in escrows {
            guard let message = try? SealedMessage(parsing: escrow.blob), message.policy.condition == .thisTPM,
                let key = try? device.unseal(message)
            else { continue }
            if let opened = try opened(key, .escrow, purpose) { return opened }
        }
        throw DiskError(
            .refused,
            escrows.isEmpty
                ? "The broker keeps nothing for the volume \(name) of this machine. Enrol it with `carnet-agent disk enrol`."
                : "What the broker keeps for \(name) does not open \(volume.path): it is of another TPM or another volume. Use the recovery key."
        )
    }

    private func opened(_ key: [UInt8], _ way: Way, _ purpose: Purpose) throws(DiskError) -> Opened? {
        guard let keyslot = try cryptsetup.keyslot(openedBy: key, of: volume, copy) else { return nil }
        if case .open(let name) = purpose { try cryptsetup.open(volume, copy, with: key, as: name) }
        return Opened(way: way, key: key, keyslot: keyslot)
    }

    /// Opens the volume with a key that was tried before.
    public func finish(_ opened: Opened, _ purpose: Purpose) throws(DiskError) {
        if case .open(let name) = purpose { try cryptsetup.open(volume, copy, with: opened.key, as: name) }
    }

    /// Seals the key to the state that the machine is in now: first the new token, then the older ones go, save one with a PIN where the
    /// new one has none.
    ///
    /// The PCRs are the caller's to name: what the header says is whoever's who wrote to the disk.
    ///
    /// - Parameters:
    ///   - attested: The state for which the key was released: to another it is not sealed.
    ///   - observe: Called before each step.
    public func reseal(
        _ opened: Opened, name: String, selection: TPM.PCRSelectionList, attested: KeyState?, pin: [UInt8] = [],
        now: Int64,
        observing observe: (DiskStep) throws -> Void = { _ in }
    ) throws {
        let tokens = DiskTokens(device: device, volume: volume, cryptsetup: cryptsetup)
        try observe(.addToken)
        let token = try tokens.add(
            opened.key, keyslot: opened.keyslot, name: name, state: device.state(selection, attested: attested),
            pin: pin, now: now)
        try observe(.checkToken)
        try tokens.check(token, opened.key)
        try observe(.removeOlderTokens)
        try tokens.removeOthers(than: token, keepingPIN: true)
    }

    /// Tells the broker to what the key is sealed.
    public func report(_ selection: TPM.PCRSelectionList, to broker: BrokerClient, name: String, now: Int64)
        async throws
    {
        try await broker.report(.init(pcrs: selection.text, sealedAt: now), of: name)
    }
}

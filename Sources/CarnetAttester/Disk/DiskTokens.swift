internal import TPM2

/// The tokens of Carnet in a volume's header.
struct DiskTokens {
    let device: TPMDevice
    let volume: VolumeFile
    let cryptsetup: Cryptsetup

    /// Carnet's tokens, the newest first.
    static func list(_ header: LUKS2Header) -> [Found] {
        header.tokens.compactMap { number, token in token.disk.map { (number, token.keyslots, $0) } }.sorted {
            ($0.disk.sealedAt, $0.number) > ($1.disk.sealedAt, $1.number)
        }
    }

    /// The tokens that a PIN may open, in the order in which they are worth a try: the newest first. What says that it is of the future comes last,
    /// and what is least so first of them: the machine's clock may be behind, and somebody may have written it to come first.
    static func forPIN(_ tokens: [Found], now: Int64) -> [Found] {
        let tokens = tokens.filter { $0.disk.sealed.policy.hasPIN }
        return tokens.filter { $0.disk.sealedAt <= now } + tokens.filter { $0.disk.sealedAt > now }.reversed()
    }

    /// A token, its number, and the keyslots that it names.
    typealias Found = (number: Int, keyslots: Set<Int>, disk: DiskToken)

    /// Adds a token with the key, sealed for a state, or for a PIN. One for both would still open in the state of before where it stays for its PIN.
    func add(
        _ key: [UInt8], keyslot: Int, name: String, _ condition: SealingPolicy.Condition, pin: [UInt8] = [], now: Int64
    ) throws -> DiskToken {
        let sealed = try device.seal(key, policy: SealingPolicy(condition), pin: pin)
        let token = DiskToken(volume: name, sealedAt: now, sealed: sealed)
        try cryptsetup.importToken(token.bytes(forKeyslot: keyslot), to: volume)
        return token
    }

    /// Requires that a token is in the header, and that the TPM gives the key for it.
    func check(_ token: DiskToken, _ key: [UInt8], pin: [UInt8] = []) throws {
        guard Self.list(try volume.header()).contains(where: { $0.disk == token }) else {
            throw DiskError(
                .unavailable,
                "The token that was written to \(volume.path) is not there. Nothing was removed. Try again.")
        }
        guard try device.unseal(token.sealed, pin: pin) == key else {
            throw DiskError(.refused, "The TPM gave another key than it sealed. Nothing was removed.")
        }
    }

    /// What was removed.
    struct Removed {
        /// The keyslots that the tokens named.
        var keyslots: Set<Int> = []
        /// Whether there was a PIN, and there is none any more.
        var losesPIN = false
    }

    /// Removes all other tokens, save where none of `kept` is for a PIN the newest of this TPM's that only a PIN opens, and that names the
    /// keyslot. Its key cannot be looked at without the PIN: if it is another, the PIN opens nothing.
    @discardableResult
    func removeOthers(than kept: [DiskToken], keyslot: Int) throws -> Removed {
        var others = Self.list(try volume.header()).filter { !kept.contains($0.disk) }
        var hasPIN = kept.contains { $0.sealed.policy.hasPIN }
        let now = kept.first?.sealedAt ?? 0
        let candidates = Self.forPIN(others, now: now).filter {
            $0.disk.sealed.policy.condition == .pin && $0.keyslots.contains(keyslot)
        }
        if !hasPIN, let pin = candidates.first(where: { device.loads($0.disk.sealed) }) {
            others.removeAll { $0.number == pin.number }
            hasPIN = true
        }
        for other in others { try cryptsetup.removeToken(other.number, of: volume) }
        return Removed(
            keyslots: others.reduce(into: []) { $0.formUnion($1.keyslots) },
            losesPIN: !hasPIN && others.contains { $0.disk.sealed.policy.hasPIN })
    }
}

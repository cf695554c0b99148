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

    /// Adds a token with the key, sealed for a state, and possibly for a PIN.
    func add(
        _ key: [UInt8], keyslot: Int, name: String, state: PCRState, pin: [UInt8], now: Int64
    ) throws -> DiskToken {
        let sealed = try device.seal(key, policy: SealingPolicy(.state(state), hasPIN: !pin.isEmpty), pin: pin)
        let token = DiskToken(volume: name, sealedAt: now, sealed: sealed)
        try cryptsetup.importToken(token.bytes(forKeyslot: keyslot), to: volume)
        return token
    }

    /// Requires that a token is in the header, and that the TPM gives the key for it.
    func check(_ token: DiskToken, _ key: [UInt8]) throws {
        guard Self.list(try volume.header()).contains(where: { $0.disk == token }) else {
            throw DiskError(
                .unavailable,
                "The token that was written to \(volume.path) is not there. Nothing was removed. Try again.")
        }
        guard try device.unseal(token.sealed) == key else {
            throw DiskError(.refused, "The TPM gave another key than it sealed. Nothing was removed.")
        }
    }

    /// Removes all other tokens; where `keepingPIN` is set, not the newest of this TPM's that a PIN opens.
    ///
    /// - Returns: The keyslots that the removed ones named.
    @discardableResult
    func removeOthers(than token: DiskToken, keepingPIN: Bool) throws -> Set<Int> {
        var others = Self.list(try volume.header()).filter { $0.disk != token }
        if keepingPIN, !token.sealed.policy.hasPIN,
            let kept = Self.forPIN(others, now: token.sealedAt).first(where: { device.loads($0.disk.sealed) })
        {
            others.removeAll { $0.number == kept.number }
        }
        for other in others { try cryptsetup.removeToken(other.number, of: volume) }
        return others.reduce(into: []) { $0.formUnion($1.keyslots) }
    }
}

internal import TPM2

/// The tokens of Carnet in a volume's header.
struct DiskTokens {
    let device: TPMDevice
    let volume: VolumeFile
    let cryptsetup: Cryptsetup

    /// Carnet's tokens, the newest first.
    static func list(_ header: LUKS2Header) -> [(number: Int, keyslots: Set<Int>, disk: DiskToken)] {
        header.tokens.compactMap { number, token in token.disk.map { (number, token.keyslots, $0) } }.sorted {
            ($0.disk.sealedAt, $0.number) > ($1.disk.sealedAt, $1.number)
        }
    }

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

    /// Removes all other tokens; where `keepingPIN` is set, not the newest that a PIN opens.
    func removeOthers(than token: DiskToken, keepingPIN: Bool) throws {
        var others = Self.list(try volume.header()).filter { $0.disk != token }
        if keepingPIN, !token.sealed.policy.hasPIN,
            let kept = others.firstIndex(where: { $0.disk.sealed.policy.hasPIN })
        {
            others.remove(at: kept)
        }
        for other in others { try cryptsetup.removeToken(other.number, of: volume) }
    }
}

internal import CarnetEvidence
internal import CarnetResult
internal import Cryptography

extension DiskEnrolment {
    /// A key of ours that opens the volume: from its header, or from what the broker keeps.
    func find(_ escrows: [BrokerClient.Escrow]) throws -> (key: [UInt8], keyslot: Int)? {
        for token in DiskTokens.list(try volume.header()) {
            if let key = try? device.unseal(token.disk.sealed, pin: settings.pin), let slot = try keyslot(openedBy: key)
            {
                return (key, slot)
            }
        }
        for escrow in escrows {
            if let key = open(escrow), let slot = try keyslot(openedBy: key) { return (key, slot) }
        }
        return nil
    }

    /// The key in what the broker keeps; `nil` when this TPM did not wrap it.
    func open(_ escrow: BrokerClient.Escrow) -> [UInt8]? {
        guard let message = try? SealedMessage(parsing: escrow.blob), message.policy.condition == .thisTPM else {
            return nil
        }
        return try? device.unseal(message)
    }

    /// The keyslot that a key opens, by a copy of the header that was checked.
    func keyslot(openedBy key: [UInt8]) throws(DiskError) -> Int? {
        try cryptsetup.keyslot(openedBy: key, of: volume, volume.copy(of: volume.header()))
    }

    /// Leaves the key with the broker, wrapped by the TPM for no state in particular: the broker decides when it is given back.
    func escrow(_ key: [UInt8]) async throws -> Int64 {
        let blob = try device.seal(key, policy: SealingPolicy(.thisTPM)).bytes
        let recovery = try settings.recoveryKey.map { recoveryKey throws(JOSEError) in
            try SecretMessage.seal(key, to: recoveryKey, recipientInfo: DiskRecovery.recipientInfo(settings.name))
        }
        return try await broker.escrow(
            blob, volume: settings.name, identifier: volume.header().uuid, replaces: settings.replacesEscrow,
            recovery: recovery, sealing: nil)
    }

    /// Has the broker forget keys that open nothing here. A run that dies between escrow and keyslot leaves one, and a broker keeps few: without
    /// this the volume could not be enrolled any more after some of them.
    ///
    /// - Parameter escrows: What the broker keeps, newest first.
    func makeRoom(_ escrows: [BrokerClient.Escrow]) async throws {
        guard escrows.count > 2 else { return }
        for escrow in escrows.dropFirst() {
            if let key = open(escrow), try keyslot(openedBy: key) != nil { continue }
            try await broker.forget(escrow.version, of: settings.name)
        }
    }

    func checkEscrow(_ key: [UInt8], _ version: Int64?) async throws {
        let kept = try await broker.escrows(of: settings.name).first { $0.version == version }
        guard let kept, open(kept) == key else {
            throw DiskError(
                .refused,
                "The broker did not give back what it was given for \(settings.name). The volume was not changed. Tell the broker's operator."
            )
        }
    }

    /// Removes the keyslots of keys that are no longer wanted, however often each occurs. One that is gone already is no mistake.
    func removeKeys(keeping keyslot: Int?) throws(DiskError) {
        for key in settings.keysToRemove {
            for _ in 0..<32 {
                guard let unwanted = try self.keyslot(openedBy: key) else { break }
                guard unwanted != keyslot else {
                    throw DiskError(
                        .unreadable, "--remove-key-file names the key that was just enrolled. Nothing was removed.")
                }
                try cryptsetup.removeKeyslot(unwanted, of: volume)
            }
        }
    }
}

/// The copy of a volume's key that an operator opens with a key of his own.
public enum DiskRecovery {
    /// What the copy is for (`apv`): the volume's name behind a label.
    public static func recipientInfo(_ volume: String) -> [UInt8] {
        Array("carnet/disk-recovery/v1/".utf8) + Array(volume.utf8)
    }
}

internal import CarnetEvidence
internal import CarnetResult
internal import Cryptography

extension DiskEnrolment {
    /// A key of ours that opens the volume: one that the broker keeps. A key that is only in the header may be somebody's who knows it.
    func find(_ escrows: [BrokerClient.Escrow]) throws(DiskError) -> (
        content: EscrowedKey, keyslot: Int, version: Int64
    )? {
        for escrow in escrows {
            if let content = open(escrow), let slot = try keyslot(openedBy: content.key) {
                return (content, slot, escrow.version)
            }
        }
        return nil
    }

    /// A key by which the volume takes another one: the one that was given, else, where the broker keeps nothing that could be lost, the one that
    /// the TPM sealed in the header. It is tried before anything is stored anywhere.
    ///
    /// - Parameter isEnrolled: Whether ``find(_:)`` found a key, so that none is needed.
    func existingKey(isEnrolled: Bool, brokerKeepsNone: Bool) throws(DiskError) -> [UInt8] {
        if let given = settings.existingKey {
            if try keyslot(openedBy: given) != nil { return given }
            throw DiskError(
                .refused,
                "The key in --key-file opens no keyslot of \(volume.path). Nothing was changed. Name the file of one that does."
            )
        }
        if isEnrolled { return [] }
        if brokerKeepsNone, let sealed = try sealedKey() { return sealed }
        throw DiskError(
            .unreadable,
            "The broker keeps no key that opens \(volume.path). Give the file of one that does with --key-file.")
    }

    /// The key of a token, as ``DiskUnlocking`` would take it.
    private func sealedKey() throws(DiskError) -> [UInt8]? {
        let demands = [TokenDemand(nil), TokenDemand(settings.chosen ?? settings.selection)]
        for token in DiskTokens.list(try volume.header()) {
            guard demands.contains(where: { $0.refusal(of: token.disk.sealed.policy) == nil }),
                let key = try? device.unseal(token.disk.sealed), try keyslot(openedBy: key) != nil
            else { continue }
            return key
        }
        return nil
    }

    /// The key in what the broker keeps; `nil` when this TPM did not wrap it.
    func open(_ escrow: BrokerClient.Escrow) -> EscrowedKey? { Self.open(escrow, device) }

    /// The same with a TPM.
    static func open(_ escrow: BrokerClient.Escrow, _ device: TPMDevice) -> EscrowedKey? {
        guard let message = try? SealedMessage(parsing: escrow.blob), message.policy.condition == .thisTPM else {
            return nil
        }
        return (try? device.unseal(message)).flatMap { EscrowedKey(parsing: $0) }
    }

    /// The keyslot that a key opens, by a copy of the header that was checked.
    func keyslot(openedBy key: [UInt8]) throws(DiskError) -> Int? {
        try cryptsetup.keyslot(openedBy: key, of: volume, volume.copy(of: volume.header()))
    }

    /// Leaves the key with the broker, wrapped by the TPM for no state in particular: the broker decides when it is given back.
    func escrow(_ content: EscrowedKey) async throws -> Int64 {
        let blob = try device.seal(content.bytes, policy: SealingPolicy(.thisTPM)).bytes
        let recovery = try settings.recoveryKey.map { recoveryKey throws(JOSEError) in
            try SecretMessage.seal(
                content.key, to: recoveryKey, recipientInfo: DiskRecovery.recipientInfo(broker.subject, settings.name))
        }
        return try await broker.escrow(
            blob, volume: settings.name, identifier: volume.header().uuid, replaces: settings.replacesEscrow,
            recovery: recovery, sealing: nil)
    }

    /// Has the broker forget keys that open nothing here, and what it has twice. A run that dies between escrow and keyslot leaves one, and a broker keeps few: without
    /// this the volume could not be enrolled any more after some of them.
    ///
    /// - Parameter escrows: What the broker keeps, newest first.
    func makeRoom(_ escrows: [BrokerClient.Escrow]) async throws {
        guard escrows.count > 2 else { return }
        var kept: [[UInt8]] = []
        for escrow in escrows.reversed() {
            if let key = open(escrow)?.key, !kept.contains(key), try keyslot(openedBy: key) != nil {
                kept.append(key)
                continue
            }
            guard escrow.version != escrows.first?.version else { continue }
            try await broker.forget(escrow.version, of: settings.name)
        }
    }

    /// Has the broker forget the versions before. Where no recovery key was given, the first one with this key stays, too: an operator's copy may be with it.
    func forgetOlderEscrows(_ key: [UInt8], _ version: Int64?) async throws {
        let escrows = try await broker.escrows(of: settings.name)
        let first = settings.recoveryKey == nil ? escrows.last { open($0)?.key == key } : nil
        for escrow in escrows where escrow.version != version && escrow.version != first?.version {
            try await broker.forget(escrow.version, of: settings.name)
        }
    }

    func checkEscrow(_ content: EscrowedKey, _ version: Int64?) async throws {
        let kept = try await broker.escrows(of: settings.name).first { $0.version == version }
        guard let kept, open(kept) == content else {
            throw DiskError(
                .refused,
                "The broker did not give back what it was given for \(settings.name). The volume was not changed. Tell the broker's operator."
            )
        }
    }

    /// Requires that each key whose keyslot is to be removed has one, and none is the volume's own, before anything is changed.
    func requireKeysToRemove(notIn own: Int?) throws(DiskError) {
        for (index, key) in settings.keysToRemove.enumerated() {
            let names = settings.namesOfKeysToRemove
            let name = names.indices.contains(index) ? names[index] : "The key in --remove-key-file"
            guard let keyslot = try keyslot(openedBy: key) else {
                throw DiskError(
                    .unreadable,
                    "\(name) opens no keyslot of \(volume.path); nothing was removed. If an earlier run removed it, leave --remove-key-file out."
                )
            }
            guard keyslot != own else {
                throw DiskError(.unreadable, "\(name) holds the key that is enrolled. Nothing was removed.")
            }
        }
    }

    /// Removes the keyslots of keys that are no longer wanted, however often each occurs.
    ///
    /// - Returns: Their numbers.
    func removeKeys(keeping keyslot: Int?) throws(DiskError) -> [Int] {
        var removed: [Int] = []
        for key in settings.keysToRemove {
            for _ in 0..<32 {
                guard let unwanted = try self.keyslot(openedBy: key) else { break }
                guard unwanted != keyslot else {
                    throw DiskError(
                        .unreadable, "--remove-key-file names the key that was just enrolled. Nothing was removed.")
                }
                try cryptsetup.removeKeyslot(unwanted, of: volume)
                removed.append(unwanted)
            }
        }
        return removed
    }
}

/// The copy of a volume's key that an operator opens with a key of his own.
public enum DiskRecovery {
    /// What the copy is for (`apv`): behind a label the machine's subject, and the volume's name, which has no slash. A copy of another machine's,
    /// or of another volume, does not open as this one's.
    public static func recipientInfo(_ subject: String, _ volume: String) -> [UInt8] {
        Array("carnet/disk-recovery/v1/\(subject)/\(volume)".utf8)
    }
}

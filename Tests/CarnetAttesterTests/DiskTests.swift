import CarnetClient
import CarnetAttester
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import StrictEncoding
import Synchronization
import TPM2
import Testing
import VerifierHarness

/// Volumes of the real cryptsetup, with a software TPM, a verifier and a broker.
@Suite(
    "Disk keys", .serialized, .enabled(if: TestVolume.isPossible, "cryptsetup is not installed"),
    .timeLimit(.minutes(10)))
struct DiskTests {
    @Test("An enrolled volume opens by the TPM, after a change of state only by the broker, and then by the TPM again")
    func life() async throws {
        try await DiskScene.run { scene in
            #expect(try scene.opensHere() == nil, "nothing opens it before")
            try await scene.enrol()
            #expect(try scene.opensHere() == .sealed)
            #expect(try scene.header.keyslots == [0, 1])
            let subject = try #require(scene.broker.state.withLock { $0.sealings.first })
            #expect(subject.key.hasSuffix("/root") && subject.value == "sha256:0,4,7,11")
            try scene.changeState()
            #expect(try scene.opensHere() == nil)
            try await scene.openFromBroker()
            #expect(try scene.opensHere() == .sealed)
            #expect(try scene.header.tokens.count == 1, "the older token is gone")
            let status = try DiskStatus(VolumeFile(scene.volume.path), device: scene.device)
            #expect(status.tokens.map(\.changed) == [[]] && status.tokens.map(\.volume) == ["root"])
        }
    }

    @Test("Once more changes nothing but the token; a key that is to go goes, and not before the others were tried")
    func again() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol()
            try await scene.enrol { $0.existingKey = nil }
            #expect(try scene.header.keyslots == [0, 1])
            #expect(try scene.header.tokens.count == 1)
            #expect(scene.broker.state.withLock { $0.escrows.values.map(\.count) } == [1])
            let outcome = try await scene.enrol { settings in settings.keysToRemove = [scene.volume.key] }
            #expect(outcome.removedKeyslots == [0])
            #expect(try scene.header.keyslots == [1])
            #expect(try await scene.volume.opens(with: scene.volume.key) == false)
            #expect(try scene.opensHere() == .sealed)
        }
    }

    @Test("A key to remove that opens nothing, or that is the volume's own, is told before anything is changed")
    func wrongKeyToRemove() async throws {
        try await DiskScene.run { scene in
            for _ in 0..<2 {
                let before = try scene.volume.header,
                    calls = scene.broker.state.withLock { $0.escrows.values.map(\.count) }
                let error = try await #require(throws: DiskError.self) {
                    try await scene.enrol { settings in
                        settings.keysToRemove = [scene.volume.key, [1, 2, 3]]
                        settings.namesOfKeysToRemove = ["install.key", "wrong.key"]
                    }
                }
                #expect(error.code == .unreadable)
                #expect(
                    error.description.hasPrefix(
                        "wrong.key opens no keyslot of \(scene.volume.path); nothing was removed"))
                #expect(try scene.volume.header == before)
                #expect(scene.broker.state.withLock { $0.escrows.values.map(\.count) } == calls)
                try await scene.enrol()
            }
            let blob = try #require(scene.broker.state.withLock { $0.escrows.values.first?.first?.blob })
            let own = try scene.device.unseal(SealedMessage(parsing: blob))
            await #expect(throws: DiskError.self) { try await scene.enrol { $0.keysToRemove = [own] } }
            #expect(try scene.header.keyslots == [0, 1])
        }
    }

    @Test(
        "The PCRs that were named at the enrolment count for each later sealing, whatever the header or the policy says"
    )
    func namedPCRs() async throws {
        let named = TPM.PCRSelectionList(bank: .sha256, indices: [0, 7, 23]), recovery = try PrivateKey.generate()
        let recoveryKey = try JSONWebKey(recovery.publicKey)
        try await DiskScene.run { scene in
            try await scene.enrol { settings in
                settings.chosen = named
                settings.recoveryKey = recoveryKey
            }
            func pcrs() throws -> [String?] {
                try DiskStatus(VolumeFile(scene.volume.path), device: nil).tokens.map(\.pcrs)
            }
            func change() throws {
                try scene.device.extend(pcr: 23, bank: .sha256, digest: [UInt8](repeating: 5, count: 32))
            }
            #expect(try pcrs() == [named.text])
            for boot in 1...3 {
                try change()
                #expect(try scene.opensHere() == nil, "boot \(boot) asks the broker")
                try await scene.openFromBroker()
                #expect(try pcrs() == [named.text])
                #expect(try scene.opensHere() == .sealed)
            }
            // A run without --pcrs keeps them, and the operators' copy.
            let again = try await scene.enrol { $0.keysToRemove = [scene.volume.key] }
            #expect(again.selection == named)
            #expect(try pcrs() == [named.text])
            // Others that are named count from then on, and the copy is still there.
            let outcome = try await scene.enrol { settings in
                settings.existingKey = nil
                settings.chosen = DiskScene.selection
            }
            #expect(outcome.selection == DiskScene.selection)
            let kept = scene.broker.state.withLock { $0.escrows.values.first ?? [] }
            #expect(kept.count == 2 && kept.contains { $0.recovery != nil })
            try scene.changeState()
            try await scene.openFromBroker()
            #expect(try pcrs() == [DiskScene.selection.text])
            #expect(scene.broker.state.withLock { $0.sealings.values.first } == DiskScene.selection.text)
        }
    }

    private struct Killed: Error {}

    @Test("Whichever step of the enrolment is the last, a rerun finishes, and no step leaves the volume without a key")
    func killedEnrolment() async throws {
        try await DiskScene.run { scene in
            let whole = try Self.file(scene.volume.path), everything = scene.broker.state.withLock { $0 }
            for step in DiskStep.allCases {
                try Self.write(whole, scene.volume.path)
                scene.broker.state.withLock { $0.escrows = everything.escrows }
                var wasThere = false
                await #expect(throws: (any Error).self) {
                    try await scene.enrol({ $0.keysToRemove = [scene.volume.key] }) { next in
                        if next == step {
                            wasThere = true
                            throw Killed()
                        }
                    }
                }
                #expect(wasThere, "\(step)")
                // What opens it now: the old key, the TPM, or the broker with the TPM.
                let isOld = try await scene.volume.opens(with: scene.volume.key), isHere = try scene.opensHere() != nil
                #expect(isOld || isHere, "after \(step) nothing opens the volume")
                try await scene.enrol { $0.keysToRemove = [scene.volume.key] }
                #expect(try scene.header.keyslots.count == 1, "\(step)")
                #expect(try scene.header.tokens.count == 1, "\(step)")
                #expect(try scene.opensHere() == .sealed)
                #expect(scene.broker.state.withLock { $0.escrows.values.map(\.count) } == [1], "\(step)")
                try scene.changeState()
                try await scene.openFromBroker()
            }
        }
    }

    @Test("Whichever step of sealing again is the last, the broker's key opens, and a rerun finishes")
    func killedReseal() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol { $0.keysToRemove = [scene.volume.key] }
            for step in [DiskStep.addToken, .checkToken, .removeOlderTokens] {
                try scene.changeState()
                await #expect(throws: Killed.self) {
                    try await scene.openFromBroker { if $0 == step { throw Killed() } }
                }
                let way = try scene.opensHere()
                #expect((way == .sealed) == (step != .addToken), "\(step)")
                try await scene.openFromBroker()
                #expect(try scene.opensHere() == .sealed)
                #expect(try scene.header.tokens.count == 1)
            }
        }
    }

    @Test(
        "Disk, broker's database and both open nothing without the machine; nor does the machine without the broker's leave"
    )
    func stolen() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol { $0.keysToRemove = [scene.volume.key] }
            let thiefTPM = try SoftwareTPM.provision(in: scene.folder.path + "/thief"), thief = try thiefTPM.device()
            let volume = try VolumeFile(scene.volume.path)
            let tried = try DiskUnlocking(volume, device: thief).openHere(.test, now: Office.now)
            #expect(tried.opened == nil && tried.reasons.contains { $0.contains("another TPM") }, "\(tried.reasons)")
            let escrow = try #require(scene.broker.state.withLock { $0.escrows.values.first?.first })
            let blob = try SealedMessage(parsing: escrow.blob)
            let foreign = #expect(throws: TPMDeviceError.self) { try thief.unseal(blob) }
            #expect(foreign?.code == .notForThisTPM)
            withExtendedLifetime(thiefTPM) {}
            let key = try scene.device.unseal(blob)
            #expect(try await scene.volume.opens(with: key))
            #expect(!scene.broker.everything.contains(Base64URL.encode(key)))
            #expect(try Self.file(scene.volume.path).firstRange(of: key) == nil)
            try scene.changeState()
            scene.broker.state.withLock { $0.releases = false }
            let refusal = try await #require(throws: ServiceConnection.Failure.self) {
                try await scene.openFromBroker()
            }
            #expect(refusal.problem == "release-denied")
        }
    }

    @Test("A broker that does not give back what it keeps gets nothing to keep alone: the volume is not changed")
    func unreliable() async throws {
        try await DiskScene.run { scene in
            let before = try scene.volume.header
            scene.broker.state.withLock { $0.releases = false }
            await #expect(throws: ServiceConnection.Failure.self) { try await scene.enrol() }
            #expect(try scene.volume.header == before)
        }
    }

    @Test(
        "Tokens that somebody else wrote open nothing and do no harm; a null cipher is refused before anything is tried"
    )
    func forged() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol()
            let state = try scene.device.state(DiskScene.selection)
            let foreign = try scene.device.seal([UInt8](repeating: 1, count: 32), policy: SealingPolicy(.state(state)))
            let text = #"{"type":"carnet","keyslots":["0"],"volume":"root","sealed_at":9999999999,"sealed":"#
            try await scene.volume.run(
                ["token", "import", "--json-file", "-", scene.volume.path],
                input: Array(text.utf8) + foreign.bytes + Array("}".utf8))
            #expect(try scene.opensHere() == .sealed, "the next token is tried")
            let good = try scene.volume.header
            let forged = HeaderForge.replacing(
                #""size":"258048","encryption":"aes-xts-plain64""#, #""size":"258048","encryption":"cipher_null-ecb""#,
                in: good)
            #expect(forged != good)
            try scene.volume.overwrite(forged)
            let error = try #require(throws: DiskError.self) { try scene.opensHere() }
            #expect(error.code == .refused && error.description.contains("null cipher"))
            await #expect(throws: DiskError.self) { try await scene.enrol() }
        }
    }

    @Test("The header is used as it was checked, whatever is written to the disk meanwhile")
    func swapped() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol()
            let unlocking = try DiskUnlocking(VolumeFile(scene.volume.path), device: scene.device)
            try scene.volume.overwrite([UInt8](repeating: 0, count: 32_768))
            #expect(try unlocking.openHere(.test, now: Office.now).opened?.way == .sealed)
            #expect(throws: DiskError.self) { try scene.opensHere() }
        }
    }

    @Test("A machine that was in the old state opens nothing there after an update, with a PIN as without")
    func oldState() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol { $0.pin = Array("4711".utf8) }
            #expect(try scene.opensHere() == .sealed)
            try scene.changeState()
            try await scene.openFromBroker()
            #expect(try scene.opensHere() == .sealed)
            // The machine boots the old software again.
            try scene.tpm.reboot()
            try scene.tpm.measure(GoodBoot.log())
            let unlocking = try DiskUnlocking(VolumeFile(scene.volume.path), device: scene.tpm.device())
            let tried = try unlocking.openHere(.test, now: Office.now)
            #expect(tried.opened == nil && tried.reasons.count == 1 && tried.reasons[0].contains("PCR sha256:11"))
            #expect(try unlocking.openHere(.test, pin: Array("4711".utf8), now: Office.now).opened?.way == .pin)
        }
    }

    @Test("A PIN that opened another key is told to be gone when the volume gets a new one")
    func lostPIN() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol { $0.pin = [1, 2] }
            scene.broker.state.withLock { $0.escrows = [:] }
            let outcome = try await scene.enrol()
            #expect(outcome.losesPIN && outcome.foreignKeyslots == [1])
            #expect(try scene.header.tokens.count == 1)
        }
    }

    @Test(
        "A PIN opens in every state, and is still there after the key was sealed again without it; the recovery key opens"
    )
    func pinAndRecovery() async throws {
        let pin = Array("4711".utf8), operatorKey = try PrivateKey.generate()
        let recoveryKey = try JSONWebKey(operatorKey.publicKey)
        try await DiskScene.run { scene in
            try await scene.enrol { settings in
                settings.pin = pin
                settings.recoveryKey = recoveryKey
            }
            try scene.changeState()
            #expect(try scene.opensHere() == nil)
            #expect(try scene.opensHere(pin: [1]) == nil)
            #expect(try scene.opensHere(pin: pin) == .pin)
            #expect(try scene.header.tokens.count == 2)
            for _ in 0..<2 {
                try await scene.openFromBroker()
                #expect(try scene.header.tokens.count == 2)
                #expect(try scene.opensHere() == .sealed)
                // The one that stays opens by the PIN, and in no state any more.
                let conditions = try scene.header.tokens.values.compactMap { $0.disk?.sealed.policy.condition }
                #expect(conditions.count { $0 == .pin } == 1 && conditions.count == 2)
                try scene.changeState()
            }
            try await scene.openFromBroker()
            // Nor does a run without the PIN take it away.
            let outcome = try await scene.enrol { $0.keysToRemove = [scene.volume.key] }
            #expect(!outcome.losesPIN)
            #expect(try scene.header.tokens.count == 2)
            try scene.changeState()
            #expect(try scene.opensHere() == nil)
            #expect(try scene.opensHere(pin: pin) == .pin)
            let kept = try #require(scene.broker.state.withLock { $0.escrows.first })
            let subject = try #require(kept.key.split(separator: "/").first.map(String.init))
            let message = Array(try #require(kept.value.first?.recovery).utf8)
            for (subject, volume) in [("urn:carnet:node:other", "root"), (subject, "data")] {
                #expect(throws: JOSEError.self, "a copy of another machine's, or of another volume") {
                    try SecretMessage.open(message, recipientInfo: DiskRecovery.recipientInfo(subject, volume)) {
                        try operatorKey.sharedSecret(with: $0.publicKey())
                    }
                }
            }
            let key = try SecretMessage.open(message, recipientInfo: DiskRecovery.recipientInfo(subject, "root")) {
                try operatorKey.sharedSecret(with: $0.publicKey())
            }
            #expect(try await scene.volume.opens(with: key))
        }
    }

    private static func file(_ path: String) throws -> [UInt8] { try RawFile.read(path) }
    private static func write(_ bytes: [UInt8], _ path: String) throws { try RawFile.write(bytes, path) }
}

import CarnetAttester
import CarnetClient
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import MeasurementLogs
import StrictEncoding
import Synchronization
import TPM2
import Testing
import VerifierHarness

/// What somebody can write to a disk, or put in its place, who has also run software on the machine.
@Suite(
    "Disks of others", .serialized, .enabled(if: TestVolume.isPossible, "cryptsetup is not installed"),
    .timeLimit(.minutes(10)))
struct DiskAttackTests {
    private let key = [UInt8](repeating: 7, count: 32)

    /// Writes a token with a sealed key into the header.
    private func plant(_ sealed: SealedMessage, _ scene: DiskScene, keyslot: Int = 0, sealedAt: Int64) async throws {
        let text = #"{"type":"carnet","keyslots":["\#(keyslot)"],"volume":"root","sealed_at":\#(sealedAt),"sealed":"#
        try await scene.volume.run(
            ["token", "import", "--json-file", "-", scene.volume.path],
            input: Array(text.utf8) + sealed.bytes + Array("}".utf8))
    }

    /// Adds a keyslot for the key that somebody knows: number 1 of a volume that has one.
    private func addKeyslot(_ scene: DiskScene) async throws {
        let file = try scene.folder.write(key, "planted.key")
        try await scene.volume.run([
            "luksAddKey", "--batch-mode", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file",
            scene.volume.keyFile, scene.volume.path, file,
        ])
    }

    @Test("A key in --key-file that opens nothing is told before anything is stored at the broker or in the volume")
    func wrongKey() async throws {
        try await DiskScene.run { scene in
            let before = try scene.volume.header
            let error = try await #require(throws: DiskError.self) {
                try await scene.enrol { $0.existingKey = key }
            }
            #expect(error.code == .refused && error.description.contains("--key-file"))
            #expect(scene.broker.state.withLock { $0.escrows.isEmpty && $0.log.allSatisfy { !$0.hasPrefix("PUT") } })
            #expect(try scene.volume.header == before)
            // Also where a key of ours is there already: a wrong word is no word.
            try await scene.enrol()
            await #expect(throws: DiskError.self) { try await scene.enrol { $0.existingKey = key } }
        }
    }

    @Test("A key that somebody knows, in a keyslot and in a token that opens, is not taken over; its keyslot is named")
    func planted() async throws {
        try await DiskScene.run { scene in
            try await addKeyslot(scene)
            let state = try scene.device.state(DiskScene.selection)
            try await plant(
                scene.device.seal(key, policy: SealingPolicy(.state(state))), scene, keyslot: 1, sealedAt: Office.now)
            #expect(try scene.opensHere() == .sealed)
            let outcome = try await scene.enrol()
            #expect(outcome.keyslot == 2 && outcome.foreignKeyslots == [1])
            #expect(try scene.header.tokens.count == 1)
            let blob = try #require(scene.broker.state.withLock { $0.escrows.values.first?.first?.blob })
            #expect(try scene.device.unseal(SealedMessage(parsing: blob)) != key)
            // Once more it is the broker's that is found.
            let again = try await scene.enrol { $0.existingKey = nil }
            #expect(again.keyslot == 2 && again.foreignKeyslots.isEmpty)
        }
    }

    @Test(
        "Without --key-file a key of the header only lets the volume take a new one, and only where the broker keeps none"
    )
    func lostBroker() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol { $0.keysToRemove = [scene.volume.key] }
            let kept = scene.broker.state.withLock { $0.escrows }
            scene.broker.state.withLock { state in
                let other = state.escrows.mapValues {
                    $0.map { TestBroker.Version(number: $0.number, blob: [1], recovery: nil) }
                }
                state.escrows = other
            }
            let error = try await #require(throws: DiskError.self) { try await scene.enrol { $0.existingKey = nil } }
            #expect(error.code == .unreadable && error.description.contains("--key-file"))
            scene.broker.state.withLock { $0.escrows = [:] }
            let outcome = try await scene.enrol { $0.existingKey = nil }
            #expect(outcome.foreignKeyslots == [1] && outcome.keyslot != 1)
            let blobs = scene.broker.state.withLock { [$0.escrows, kept].map { $0.values.first?.first?.blob } }
            let keys = try blobs.map { try scene.device.unseal(SealedMessage(parsing: #require($0))) }
            #expect(keys[0] != keys[1])
        }
    }

    @Test("A volume whose key is sealed to no state, or to PCRs that every system has, is not opened")
    func exchanged() async throws {
        try await DiskScene.run { scene in
            try await addKeyslot(scene)
            let whole = try RawFile.read(scene.volume.path)
            let all = TPM.PCRSelectionList(bank: .sha256, indices: [23])
            let weak = try scene.device.state(all), demand = TokenDemand(all)
            try await plant(
                scene.device.seal(key, policy: SealingPolicy(.state(weak))), scene, keyslot: 1, sealedAt: 1)
            let tried = try scene.tried()
            #expect(tried.opened == nil && tried.reasons.contains { $0.contains("sha256:23") }, "\(tried.reasons)")
            #expect(try scene.opensHere(demand: demand) == .sealed, "who says so gets it")
            let status = try DiskStatus(VolumeFile(scene.volume.path), device: scene.device)
            #expect(status.tokens.first?.refusal != nil)

            try RawFile.write(whole, scene.volume.path)
            try await plant(scene.device.seal(key, policy: SealingPolicy(.thisTPM)), scene, keyslot: 1, sealedAt: 1)
            #expect(try scene.opensHere() == nil && scene.opensHere(demand: demand) == nil)

            // Whoever has another PIN, and a state that holds, is not let in by the right one.
            try RawFile.write(whole, scene.volume.path)
            let theirs = try scene.device.seal(
                key, policy: SealingPolicy(.state(weak), hasPIN: true), pin: Array("9".utf8))
            try await plant(theirs, scene, keyslot: 1, sealedAt: 1)
            #expect(try scene.opensHere(pin: Array("4711".utf8)) == nil)
            #expect(try scene.opensHere(pin: Array("9".utf8)) == .pin)
        }
    }

    @Test("Where PCRs are demanded, a key that is sealed to fewer is not used, and one that is sealed to more is")
    func demanded() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol()
            for (indices, way) in [([4, 11], .sealed), ([4, 5], nil)] as [([Int], DiskUnlocking.Way?)] {
                let selection = TPM.PCRSelectionList(bank: .sha256, indices: indices)
                #expect(try scene.opensHere(demand: TokenDemand(selection)) == way, "\(indices)")
            }
            #expect(try scene.opensHere(demand: TokenDemand(.init(bank: .sha384, indices: [4]))) == nil)
        }
    }

    @Test(
        "Of the tokens with a PIN one is tried: the newest of this TPM's, not one of the future, and others use up no tries"
    )
    func pins() async throws {
        let pin = Array("4711".utf8), other = Array("1".utf8)
        try await DiskScene.run { scene in
            try await scene.enrol { $0.pin = pin }
            try scene.changeState()
            let policy = SealingPolicy(.state(try scene.device.state(DiskScene.selection)), hasPIN: true)
            try scene.changeState()
            let thiefTPM = try SoftwareTPM.provision(in: scene.folder.path + "/thief"), thief = try thiefTPM.device()
            let whole = try RawFile.read(scene.volume.path)
            try await plant(
                scene.device.seal(key, policy: policy, pin: other), scene, sealedAt: 9_999_999_999)
            try await plant(scene.device.seal(key, policy: policy, pin: other), scene, sealedAt: 1)
            try await plant(thief.seal(key, policy: policy, pin: other), scene, sealedAt: Office.now)
            withExtendedLifetime(thiefTPM) {}
            #expect(try scene.opensHere(pin: pin) == .pin)
            let wrong = try scene.tried(pin: [9])
            #expect(wrong.opened == nil && wrong.reasons.count { $0.contains("The PIN is wrong") } == 1)
            // The right one survives that the key is sealed again.
            try await scene.openFromBroker()
            #expect(try scene.header.tokens.count == 2)
            try scene.changeState()
            #expect(try scene.opensHere(pin: pin) == .pin)

            // Where the machine's clock is behind, the token is of the future, and the only one.
            try RawFile.write(whole, scene.volume.path)
            let unlocking = try DiskUnlocking(VolumeFile(scene.volume.path), device: scene.device)
            #expect(try unlocking.openHere(.test, pin: pin, now: 0).opened?.way == .pin)
        }
    }

    @Test(
        "The measured volume is told by its own key: tokens and keyslots do not matter, nor does who copies its header")
    func measured() async throws {
        try await DiskScene.run { scene in
            let other = try await TestVolume(in: scene.folder, "other")
            let identity = try scene.header.keyIdentity, theirs = try VolumeFile(other.path).header().keyIdentity
            #expect(identity.count == 32 && identity != theirs)
            try await scene.enrol { $0.keysToRemove = [scene.volume.key] }
            #expect(try scene.header.keyIdentity == identity)

            // Their volume with the right one's digest has its identity, and no key that opens it.
            func digest(_ volume: TestVolume) throws -> String {
                let text = String(decoding: try volume.header[4096..<16_384].prefix { $0 != 0 }, as: UTF8.self)
                return try String(
                    #require(
                        text.firstMatch(of: #/"hash":"[^"]*","iterations":[0-9]+,"salt":"[^"]*","digest":"[^"]*"/#)
                    ).output)
            }
            let before = try digest(other), changed = before.replacing("\"digest\":\"", with: "\"digest\":\"AA")
            for (new, expected) in [(try digest(scene.volume), identity), (changed, nil)] as [(String, [UInt8]?)] {
                let forged = HeaderForge.replacing(before, new, in: try other.header)
                let header = try LUKS2Header(parsing: forged)
                #expect(expected == nil || header.keyIdentity == expected)
                #expect(header.keyIdentity != theirs)
                if expected != nil { try other.overwrite(forged) }
            }
            #expect(try await !other.opens(with: other.key))

            let later = TPM.PCRSelectionList(bank: .sha256, indices: [7, 15])
            let log = scene.folder.path + "/measure.log"
            let unlocking = try DiskUnlocking(VolumeFile(scene.volume.path), device: scene.device)
            let early = try scene.device.seal([1], policy: SealingPolicy(.state(scene.device.state(later))))
            #expect(try unlocking.measure(log: log))
            #expect(throws: TPMDeviceError.self) { try scene.device.unseal(early) }
            let word = "volume-" + Hexadecimal.encode(Array(identity.prefix(12)))
            #expect(
                try RuntimeLog(parsing: scene.folder.read("measure.log")).records.map(\.untrustedText) == [word])
            let zeros = [UInt8](repeating: 0, count: 32), digest = HashAlgorithm.sha256.hash(Array(word.utf8))
            #expect(
                try scene.device.readPCRs(later)[.sha256]?[15] == HashAlgorithm.sha256.hash(zeros + digest))
        }
    }

    @Test("A TPM that is locked out is told as what passes, and the state still opens")
    func lockedOut() async throws {
        try await DiskScene.run { scene in
            try await scene.enrol { $0.pin = Array("4711".utf8) }
            let state = try RawFile.read(scene.volume.path)
            try scene.changeState()
            var last = try scene.tried(pin: [9])
            #expect(!last.isTemporary)
            for _ in 0..<40 where !last.isTemporary { last = try scene.tried(pin: [9]) }
            #expect(last.isTemporary && last.reasons.contains { $0.contains("locked out") }, "\(last.reasons)")
            #expect(try RawFile.read(scene.volume.path) == state)
            try await scene.openFromBroker()
            #expect(try scene.opensHere() == .sealed)
        }
    }

    @Test("A copy for the recovery key can be had later")
    func laterRecovery() async throws {
        let recoveryKey = try JSONWebKey(PrivateKey.generate().publicKey)
        try await DiskScene.run { scene in
            try await scene.enrol()
            for _ in 0..<2 { try await scene.enrol { $0.recoveryKey = recoveryKey } }
            let kept = try #require(scene.broker.state.withLock { $0.escrows.values.first })
            #expect(kept.count == 1 && kept.first?.recovery != nil)
            #expect(try scene.header.keyslots == [0, 1])
        }
    }
}

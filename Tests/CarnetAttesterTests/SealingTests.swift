import CarnetAttester
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import StrictEncoding
import TPM2
import Testing

/// Sealing on a software TPM. The TPM itself computes every policy again: an object opens only when ours is the same.
@Suite("Sealing", .serialized, .timeLimit(.minutes(5)))
struct SealingTests {
    private let tpm: SoftwareTPM, device: TPMDevice
    private let secret = Array("the secret that nobody may see".utf8), pin = Array("1234".utf8)
    private let selection = TPM.PCRSelectionList(bank: .sha256, indices: [0, 7, 11])

    init() throws {
        tpm = try SoftwareTPM.copy()
        device = try tpm.device()
    }

    private func move(_ pcr: Int) throws {
        try device.extend(pcr: pcr, bank: .sha256, digest: [UInt8](repeating: 7, count: 32))
    }

    private func sealed(pin: [UInt8] = []) throws -> SealedMessage {
        try device.seal(
            secret, policy: SealingPolicy(.state(device.state(selection)), hasPIN: !pin.isEmpty), pin: pin)
    }

    private func failure(_ body: () throws -> Void) -> TPMDeviceError? {
        do {
            try body()
            return nil
        } catch { return error as? TPMDeviceError }
    }

    @Test("It opens in the state, also from its JSON; a PCR that changed is named; another PCR does not matter")
    func state() throws {
        let message = try SealedMessage(parsing: sealed().bytes)
        try move(4)
        #expect(try device.unseal(message) == secret)
        try move(7)
        let error = try #require(failure { _ = try device.unseal(message) })
        #expect(error.code == .stateChanged && error.description.contains("PCR sha256:7 holds another value"))
    }

    @Test("A PIN opens in every state; a wrong one does not, and too many lock the TPM")
    func pinned() throws {
        let message = try sealed(pin: pin)
        #expect(try device.unseal(message) == secret, "in the state no PIN is asked for")
        try move(11)
        #expect(failure { _ = try device.unseal(message) }?.code == .stateChanged)
        #expect(try device.unseal(message, pin: pin) == secret)
        var error = failure { _ = try device.unseal(message, pin: Array("1235".utf8)) }
        #expect(
            error?.code == .notForThisTPM && error?.description.contains("PIN is wrong") == true,
            "\(String(describing: error))")
        for _ in 0..<40 where error?.code != .busy { error = failure { _ = try device.unseal(message, pin: [9]) } }
        #expect(error?.code == .busy && error?.description.contains("locked out") == true)
        #expect(failure { _ = try device.unseal(message, pin: pin) }?.code == .busy, "the right one, too, has to wait")
    }

    @Test("An operator's approval opens the state that it is for; nobody else's does, and none for another state")
    func approved() throws {
        let key = try PrivateKey.generate(), other = try PrivateKey.generate()
        let area = try #require(ApprovalKey.publicArea(key.publicKey))
        for pin in [[], pin] {
            let made = try device.seal(
                secret, policy: SealingPolicy(.approved(by: area), hasPIN: !pin.isEmpty), pin: pin)
            let message = try SealedMessage(parsing: made.bytes), state = try device.state(selection)
            #expect(failure { _ = try device.unseal(message) }?.code == .stateChanged)
            let approval = try PolicyApproval(parsing: PolicyApproval(of: state, by: key).bytes)
            #expect(try device.unseal(message, approval: approval) == secret)
            let forged = try PolicyApproval(of: state, by: other)
            let error = failure { _ = try device.unseal(message, approval: forged) }
            #expect(error?.code == .notForThisTPM && error?.description.contains("not signed") == true)
            try move(7)
            #expect(failure { _ = try device.unseal(message, approval: approval) }?.code == .stateChanged)
            let next = try PolicyApproval(of: device.state(selection), by: key)
            #expect(try device.unseal(message, approval: next) == secret)
        }
    }

    @Test("Another TPM's object, an imported one, and one with another policy than is stated are refused")
    func foreign() throws {
        let message = try sealed(), other = try SoftwareTPM.provision(in: TemporaryFolder.make("other-tpm"))
        let stranger = try other.device()
        #expect(failure { _ = try stranger.unseal(message) }?.code == .notForThisTPM)
        let theirs = try stranger.seal(secret, policy: message.policy)
        let relabelled = SealedMessage(
            parent: message.parent, policy: theirs.policy, publicArea: theirs.publicArea,
            privateArea: theirs.privateArea)
        #expect(failure { _ = try device.unseal(relabelled) }?.code != nil, "the TPM refuses what it did not make")

        // An object that anybody can make who knows the storage key's public half.
        let parent = try device.storageKey(unique: HashAlgorithm.sha256.hash(Array("carnet/sealing/parent/v1".utf8)))
        #expect(parent.publicArea.name.bytes == message.parent)
        let blob = try TPM.ImportBlob.make(
            secret, policy: device.state(selection).policy, for: parent.publicArea)
        parent.close()
        let imported = SealedMessage(
            parent: message.parent, policy: message.policy, publicArea: blob.publicArea,
            privateArea: message.privateArea)
        #expect(failure { _ = try device.unseal(imported) }?.description.contains("imported") == true)

        let anyState = try device.seal(secret, policy: SealingPolicy(.thisTPM))
        let swapped = SealedMessage(
            parent: message.parent, policy: message.policy, publicArea: anyState.publicArea,
            privateArea: anyState.privateArea)
        #expect(failure { _ = try device.unseal(swapped) }?.code == .notForThisTPM)
        try move(0)
        let moved = SealedMessage(
            parent: message.parent, policy: SealingPolicy(.state(try device.state(selection))),
            publicArea: message.publicArea, privateArea: message.privateArea)
        #expect(failure { _ = try device.unseal(moved) }?.description.contains("policy") == true)
    }

    @Test("What only a PIN opens is opened by no state, and the message cannot say otherwise")
    func pinAlone() throws {
        let message = try device.seal(secret, policy: SealingPolicy(.pin), pin: pin)
        #expect(try SealedMessage(parsing: message.bytes) == message)
        #expect(failure { _ = try device.unseal(message) }?.code == .refused)
        #expect(failure { _ = try device.unseal(message, pin: [9]) }?.code == .notForThisTPM)
        #expect(try device.unseal(message, pin: pin) == secret)
        let open = SealedMessage(
            parent: message.parent, policy: SealingPolicy(.thisTPM), publicArea: message.publicArea,
            privateArea: message.privateArea)
        #expect(failure { _ = try device.unseal(open) }?.code == .notForThisTPM)
    }

    @Test("Every bit of both halves counts")
    func bits() throws {
        let message = try sealed()
        for bit in stride(from: 0, to: message.privateArea.count * 8, by: 61) {
            var area = message.privateArea
            area[bit / 8] ^= 1 << UInt8(bit % 8)
            let spoiled = SealedMessage(
                parent: message.parent, policy: message.policy, publicArea: message.publicArea, privateArea: area)
            #expect(failure { _ = try device.unseal(spoiled) } != nil, "bit \(bit)")
        }
        for bit in 0..<(message.publicArea.count * 8) {
            var area = message.publicArea
            area[bit / 8] ^= 1 << UInt8(bit % 8)
            let spoiled = SealedMessage(
                parent: message.parent, policy: message.policy, publicArea: area, privateArea: message.privateArea)
            #expect(failure { _ = try device.unseal(spoiled) } != nil, "bit \(bit)")
        }
        #expect(try device.unseal(message) == secret)
    }

    @Test("Messages have one form: each member once, no other, and each of its kind")
    func messages() throws {
        let text = String(decoding: try sealed(pin: pin).bytes, as: UTF8.self)
        for (old, new) in [
            (#""pin":true"#, #""pin":1"#), (#""pin":true"#, #""pin":true,"x":1"#), (#""pcrs""#, #""pcr""#),
            ("sha256:0,7,11", "sha256:0,7"), ("sha256:0,7,11", "sha1:0,7,11"), ("sha256:0,7,11", "sha256:7,0,11"),
            (#""values":["#, #""values":["AA","#), ("sealed+json", "sealed+jsom"), (#""parent":""#, #""parent":"AA"#),
            (#""public""#, #""approved_by""#),
        ] {
            #expect(text.contains(old))
            #expect(throws: JOSEError.self, "\(new)") {
                try SealedMessage(parsing: Array(text.replacing(old, with: new).utf8))
            }
        }
        #expect(throws: TPMDeviceError.self) { try device.seal([], policy: SealingPolicy(.thisTPM)) }
        #expect(throws: TPMDeviceError.self) {
            try device.seal([UInt8](repeating: 1, count: 129), policy: SealingPolicy(.thisTPM))
        }
        let longest = [UInt8](repeating: 1, count: 128)
        #expect(try device.unseal(device.seal(longest, policy: SealingPolicy(.thisTPM))) == longest)
    }
}

/// What passes between processor and TPM, and what happens when it stops.
@Suite("Sealing on the bus", .serialized, .timeLimit(.minutes(5)))
struct SealingBusTests {
    private let secret = Array("the secret that nobody may see".utf8), pin = Array("a PIN that nobody may see".utf8)
    private let selection = TPM.PCRSelectionList(bank: .sha256, indices: [7])

    @Test("Neither secret nor PIN is seen on the bus, in either direction")
    func listening() throws {
        let tpm = try SoftwareTPM.copy(), proxy = try TPMProxy(directory: tpm.directory)
        let device = try TPMDevice(proxy.tcti)
        let message = try device.seal(
            secret, policy: SealingPolicy(.state(device.state(selection)), hasPIN: true), pin: pin)
        #expect(try device.unseal(message) == secret)
        try device.extend(pcr: 7, bank: .sha256, digest: [UInt8](repeating: 7, count: 32))
        #expect(try device.unseal(message, pin: pin) == secret)
        let escrow = try device.seal(secret, policy: SealingPolicy(.thisTPM))
        #expect(try device.unseal(escrow) == secret)
        let seen = proxy.bytes
        #expect(seen.count > 3000, "the proxy saw something")
        #expect(seen.firstRange(of: message.privateArea.dropFirst(2)) != nil, "and what is not secret passes openly")
        for hidden in [secret, pin] {
            #expect(seen.firstRange(of: hidden.prefix(8)) == nil && seen.firstRange(of: hidden.suffix(8)) == nil)
        }
    }

    @Test("Whichever command fails, nothing stays in the TPM's slots")
    func interrupted() throws {
        let tpm = try SoftwareTPM.copy(), proxy = try TPMProxy(directory: tpm.directory)
        var failures = 0
        do {
            let device = try TPMDevice(proxy.tcti), key = try PrivateKey.generate()
            let area = try #require(ApprovalKey.publicArea(key.publicKey))
            let message = try device.seal(
                secret, policy: SealingPolicy(.approved(by: area), hasPIN: true), pin: pin)
            let approval = try PolicyApproval(of: device.state(selection), by: key)
            for number in 1...40 {
                proxy.fail(number)
                do {
                    _ = try device.seal(secret, policy: SealingPolicy(.state(device.state(selection))))
                    _ = try device.unseal(message, approval: approval)
                    _ = try device.unseal(message, pin: pin)
                } catch { failures += 1 }
            }
            proxy.fail(nil)
            #expect(try device.unseal(message, approval: approval) == secret)
        }
        #expect(failures > 15)
        let socket = try TPMSocket(path: tpm.directory + "/tpm.sock")
        for (first, what) in [(UInt8(0x80), "objects"), (0x02, "sessions"), (0x03, "policy sessions")] {
            // TPM2_GetCapability(TPM_CAP_HANDLES, first handle, 16): more, capability, count.
            let answer = try socket.send(
                [0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7A, 0, 0, 0, 1, first, 0, 0, 0, 0, 0, 0, 16])
            #expect(answer.dropFirst(5).prefix(4).allSatisfy { $0 == 0 }, "\(what) are left: \(answer)")
        }
    }
}

import CarnetAttester
import CarnetEvidence
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import TPM2
import Testing

/// A software TPM that measured a good boot, and blobs for its storage key.
@Suite("Import blobs in a TPM", .serialized, .timeLimit(.minutes(5)))
struct UnsealTests {
    private let tpm: SoftwareTPM
    private let state = AttesterState(), secret = SecureRandom.bytes(32), answers = SecureRandom.bytes(32)
    private let selection = TPM.PCRSelectionList(bank: .sha256, indices: [0, 4, 7])

    init() throws {
        tpm = try SoftwareTPM.copy()
        try tpm.measure(GoodBoot.log())
    }

    private func message(
        _ device: TPMDevice, secret: [UInt8]? = nil, answering info: [UInt8]? = nil
    ) throws -> ImportMessage {
        let parent = try device.storageKey(unique: state.encryptionUnique)
        let policy = try #require(TPM.PolicyDigest().pcr(selection, in: device.readPCRs(selection)))
        let blob = try TPM.ImportBlob.make(
            secret ?? self.secret, policy: policy, authValue: info ?? answers, for: parent.publicArea)
        return ImportMessage(
            parent: parent.publicArea.name.bytes, pcrs: selection.text, publicArea: blob.publicArea,
            duplicate: blob.duplicate, encryptedSeed: blob.encryptedSeed)
    }

    private func code(_ body: () throws -> Void) -> TPMDeviceError.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? TPMDeviceError)?.code }
    }

    @Test("Every size from 1 to 128 bytes opens in the right state, again and again", arguments: [1, 32, 127, 128])
    func opens(count: Int) throws {
        let device = try tpm.device(), secret = SecureRandom.bytes(count)
        let message = try message(device, secret: secret)
        #expect(try device.unseal(message, with: state) == secret)
        #expect(try device.unseal(message, with: state, recipientInfo: answers) == secret)
        let read = try ImportMessage(parsing: message.bytes)
        #expect(try device.unseal(read, with: state, recipientInfo: answers) == secret)
    }

    @Test("The TPM compares what the blob answers, also where that ends in zeros")
    func answersRequest() throws {
        let device = try tpm.device(), other = SecureRandom.bytes(32)
        let message = try message(device)
        #expect(code { _ = try device.unseal(message, with: state, recipientInfo: other) } == .notForThisTPM)
        let zeros = Array(answers.dropLast(2)) + [0, 0]
        let ending = try self.message(device, answering: zeros)
        #expect(try device.unseal(ending, with: state, recipientInfo: zeros) == secret)
        #expect(code { _ = try device.unseal(ending, with: state, recipientInfo: answers) } == .notForThisTPM)
        // Wrong attempts lock nothing out.
        for _ in 0..<40 { _ = code { _ = try device.unseal(message, with: state, recipientInfo: other) } }
        #expect(try device.unseal(message, with: state, recipientInfo: answers) == secret)
    }

    @Test("Once a covered PCR moves the TPM refuses; another PCR may move", arguments: [0, 4, 7])
    func otherState(pcr: Int) throws {
        let device = try tpm.device(), message = try message(device)
        try device.extend(pcr: 9, bank: .sha256, digest: secret)
        #expect(try device.unseal(message, with: state) == secret)
        try device.extend(pcr: pcr, bank: .sha256, digest: secret)
        #expect(code { _ = try device.unseal(message, with: state) } == .stateChanged)
    }

    @Test("After a reboot it opens when the machine is in the state again, and not before")
    func reboot() throws {
        let message: ImportMessage
        do {
            let device = try tpm.device()
            message = try self.message(device)
        }
        let again = try SoftwareTPM.copy()
        do {
            let device = try again.device()
            #expect(code { _ = try device.unseal(message, with: state) } == .stateChanged)
        }
        try again.measure(GoodBoot.log())
        #expect(try again.device().unseal(message, with: state) == secret)
    }

    @Test("The selection in the message only says what to try: another one opens nothing")
    func otherSelection() throws {
        let device = try tpm.device(), good = try message(device)
        for pcrs in ["sha256:0,4", "sha256:0,4,7,8", "sha256:1,4,7"] {
            let changed = ImportMessage(
                parent: good.parent, pcrs: pcrs, publicArea: good.publicArea, duplicate: good.duplicate,
                encryptedSeed: good.encryptedSeed)
            #expect(code { _ = try device.unseal(changed, with: state) } == .stateChanged, "\(pcrs)")
        }
    }

    @Test("Another machine's storage key, by name and in fact, opens nothing")
    func otherParent() throws {
        let device = try tpm.device(), good = try message(device)
        let stranger = AttesterState()
        #expect(throws: JOSEError.self) { try device.unseal(good, with: stranger) }
        // With the name made to fit, the TPM finds out.
        let name = try device.storageKey(unique: stranger.encryptionUnique).publicArea.name.bytes
        let renamed = ImportMessage(
            parent: name, pcrs: good.pcrs, publicArea: good.publicArea, duplicate: good.duplicate,
            encryptedSeed: good.encryptedSeed)
        #expect(code { _ = try device.unseal(renamed, with: stranger) } != nil)
        let wrongName = ImportMessage(
            parent: name, pcrs: good.pcrs, publicArea: good.publicArea, duplicate: good.duplicate,
            encryptedSeed: good.encryptedSeed)
        #expect(throws: JOSEError.self) { try device.unseal(wrongName, with: state) }
    }

    @Test("No flipped bit of the three parts opens")
    func spoiled() throws {
        let device = try tpm.device(), good = try message(device)
        func open(_ area: [UInt8], _ duplicate: [UInt8], _ seed: [UInt8]) -> [UInt8]? {
            try? device.unseal(
                ImportMessage(
                    parent: good.parent, pcrs: good.pcrs, publicArea: area, duplicate: duplicate, encryptedSeed: seed),
                with: state)
        }
        #expect(open(good.publicArea, good.duplicate, good.encryptedSeed) == secret)
        for bit in stride(from: 0, to: good.publicArea.count * 8, by: 5) {
            let spoiled = open(good.publicArea.flipping(bit: bit), good.duplicate, good.encryptedSeed)
            #expect(spoiled == nil, "public, bit \(bit)")
        }
        for bit in stride(from: 0, to: good.duplicate.count * 8, by: 11) {
            let spoiled = open(good.publicArea, good.duplicate.flipping(bit: bit), good.encryptedSeed)
            #expect(spoiled == nil, "duplicate, bit \(bit)")
        }
        for bit in stride(from: 0, to: good.encryptedSeed.count * 8, by: 11) {
            let spoiled = open(good.publicArea, good.duplicate, good.encryptedSeed.flipping(bit: bit))
            #expect(spoiled == nil, "seed, bit \(bit)")
        }
    }

    @Test("tpm2_import, tpm2_load and tpm2_unseal open it too, in the right state only")
    func witness() throws {
        let names = [
            "tpm2_createprimary", "tpm2_import", "tpm2_load", "tpm2_startauthsession", "tpm2_policypcr", "tpm2_unseal",
            "tpm2_flushcontext", "tpm2_pcrextend",
        ]
        var tools: [String: Witness] = [:]
        for name in names {
            guard let witness = try Witness.find(name) else { return }
            tools[name] = witness
        }
        let folder = try TemporaryDirectory(), unique = state.encryptionUnique
        let parent: TPM.Public
        do {
            let device = try tpm.device()
            let message = try message(device)
            parent = try device.storageKey(unique: unique).publicArea
            _ = try folder.write(message.publicArea, "object.pub")
            _ = try folder.write(message.duplicate, "object.dup")
            _ = try folder.write(message.encryptedSeed, "object.seed")
        }
        // The template's unique as the tool reads it: the C structure TPMS_ECC_POINT of tpm2-tss, x and an empty y, 130 bytes each.
        _ = try folder.write([32, 0] + unique + [UInt8](repeating: 0, count: 96 + 130), "unique")
        func run(_ name: String, _ arguments: [String]) throws -> Witness.Testimony {
            try #require(tools[name]).run(arguments, environment: ["TPM2TOOLS_TCTI": tpm.tcti], directory: folder.path)
        }
        func succeed(_ name: String, _ arguments: [String]) throws {
            let testimony = try run(name, arguments)
            #expect(testimony.status == 0, "\(name): \(testimony.errors)")
        }
        try succeed(
            "tpm2_createprimary",
            [
                "-C", "e", "-g", "sha256", "-G", "ecc256:null:aes128cfb", "-a",
                "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt", "-u", "unique", "-c",
                "parent.ctx", "-f", "tpmt", "-o", "parent.tpmt",
            ])
        #expect(try folder.read("parent.tpmt") == parent.bytes, "the tool derives the same storage key")
        try succeed("tpm2_flushcontext", ["-t"])
        try succeed(
            "tpm2_import",
            ["-C", "parent.ctx", "-u", "object.pub", "-i", "object.dup", "-s", "object.seed", "-r", "object.priv"])
        try succeed("tpm2_flushcontext", ["-t"])
        try succeed("tpm2_load", ["-C", "parent.ctx", "-u", "object.pub", "-r", "object.priv", "-c", "object.ctx"])
        func unseal() throws -> Witness.Testimony {
            try succeed("tpm2_flushcontext", ["-t"])
            try succeed("tpm2_startauthsession", ["--policy-session", "-S", "session.ctx"])
            try succeed("tpm2_policypcr", ["-S", "session.ctx", "-l", "sha256:0,4,7"])
            defer { _ = try? run("tpm2_flushcontext", ["session.ctx"]) }
            return try run("tpm2_unseal", ["-c", "object.ctx", "-p", "session:session.ctx"])
        }
        let opened = try unseal()
        #expect(opened.status == 0 && opened.output == secret, "\(opened.errors)")
        try succeed("tpm2_pcrextend", ["4:sha256=" + secret.hex])
        let refused = try unseal()
        #expect(refused.status != 0 && refused.output.isEmpty && refused.errors.contains("99D"))
    }
}

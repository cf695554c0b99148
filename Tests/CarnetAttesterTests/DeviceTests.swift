import CarnetAttester
import CarnetEvidence
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import TPM2
import Testing

/// Real TPM commands on a software TPM; each test has one of its own.
@Suite("The TPM device", .serialized)
struct DeviceTests {
    @Test("The endorsement key of the template is the one that the maker certified")
    func endorsement() throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        let key = try device.endorsementKey(.rsa2048)
        let certificate = try #require(try device.endorsementCertificate(.rsa2048))
        #expect(try certificate.publicKey() == key.publicArea.publicKey())
        #expect(try device.endorsementCertificate(.eccP256) == nil, "swtpm stores none for P-256")
        #expect(try device.endorsementCertificateChain().isEmpty)
        let checked = try EndorsementKey(checking: key.publicArea)
        let anchors = try tpm.authorityFiles.flatMap {
            try Certificate.parsePEM([UInt8](Data(contentsOf: URL(filePath: $0))))
        }
        let trusted = try checked.certified(
            by: certificate, intermediates: [], anchors: anchors, at: Int64(Date().timeIntervalSince1970))
        guard case .certificate(let manufacturer, _, _) = trusted.ground else { return #expect(Bool(false)) }
        #expect(manufacturer?.hasPrefix("id:") == true)
        #expect(try device.identity().manufacturer == "IBM")
    }

    @Test(
        "Attestation keys have exactly the attributes that a verifier demands",
        arguments: TPMDevice.AttestationKeyKind.allCases)
    func attestationKey(kind: TPMDevice.AttestationKeyKind) throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        let endorsement = try device.endorsementKey(.eccP256)
        let key = try device.attestationKey(kind)
        #expect(key.publicArea.attributes.rawValue == 0x0005_0472)
        #expect(throws: Never.self) {
            try AttestationKey(checking: key.publicArea, endorsementKey: endorsement.publicArea.name)
        }
        let again = try device.attestationKey(kind)
        #expect(again.publicArea.name == key.publicArea.name, "the key is derived, not stored")
    }

    @Test("A quote states what was asked, and passes tpm2_checkquote", arguments: TPMDevice.AttestationKeyKind.allCases)
    func quote(kind: TPMDevice.AttestationKeyKind) throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        try tpmExtend(device, 4)
        let key = try device.attestationKey(kind)
        let selection = TPM.PCRSelectionList(bank: .sha256, indices: 0..<16)
        let data = SecureRandom.bytes(32)
        let quote = try device.quote(selection, by: key, qualifyingData: data)
        let attest = try TPM.Attest(parsing: quote.attest)
        let signature = try TPM.Signature(parsing: quote.signature)
        #expect(key.publicArea.isValid(signature, over: quote.attest))
        #expect(attest.extraData == data)
        guard case .quote(let info) = attest.attested else { return #expect(Bool(false)) }
        #expect(info.selection == selection)
        let values = try device.readPCRs(selection)[.sha256] ?? [:]
        #expect(values.count == 16)
        let joined = (0..<16).flatMap { values[$0] ?? [] }
        #expect(info.pcrDigest == HashAlgorithm.sha256.hash(joined))
        #expect(attest.qualifiedSigner == key.publicArea.name.qualified(under: .endorsement).bytes)

        guard let tool = try Witness.find("tpm2_checkquote") else { return }
        let directory = try TemporaryDirectory()
        let area =
            [UInt8(key.publicArea.bytes.count >> 8), UInt8(key.publicArea.bytes.count & 0xFF)] + key.publicArea.bytes
        let testimony = try tool.run([
            "-u", directory.write(area, "ak.pub"), "-m", directory.write(quote.attest, "msg"), "-s",
            directory.write(quote.signature, "sig"), "-g", "sha256", "-q",
            data.hex,
        ])
        #expect(testimony.status == 0, "\(testimony.errors)")
    }

    private func tpmExtend(_ device: TPMDevice, _ pcr: Int) throws {
        let tpmBefore = try device.readPCRs(.init(bank: .sha256, indices: [pcr]))
        #expect(tpmBefore[.sha256]?[pcr]?.count == 32)
    }

    @Test(
        "Credentials made in software open in the TPM, for the right key only",
        arguments: TPM.EndorsementKeyTemplate.allCases)
    func credentials(template: TPM.EndorsementKeyTemplate) throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        let endorsement = try device.endorsementKey(template)
        let key = try device.attestationKey()
        let secret = SecureRandom.bytes(32)
        let credential = try TPM.Credential.make(secret, for: key.publicArea.name, in: endorsement.publicArea)
        #expect(try device.activate(credential, for: key, endorsementKey: endorsement) == secret)
        let other = try TPM.Credential.make(
            secret, for: TPM.EndorsementKeyTemplate.rsa2048.publicArea.name, in: endorsement.publicArea)
        #expect(throws: TPMDeviceError.self) { try device.activate(other, for: key, endorsementKey: endorsement) }
        for bit in stride(from: 0, to: credential.idObject.count * 8, by: 37) {
            var blob = credential.idObject
            blob[bit / 8] ^= 1 << UInt8(bit % 8)
            let spoiled = TPM.Credential(idObject: blob, encryptedSecret: credential.encryptedSecret)
            #expect(throws: TPMDeviceError.self) { try device.activate(spoiled, for: key, endorsementKey: endorsement) }
        }
    }

    @Test(
        "tpm2_makecredential's credential opens with ours, and ours with tpm2_activatecredential",
        arguments: [("rsa", TPM.EndorsementKeyTemplate.rsa2048), ("ecc", .eccP256)])
    func credentialWitness(algorithm: String, template: TPM.EndorsementKeyTemplate) throws {
        guard let make = try Witness.find("tpm2_makecredential"),
            let activate = try Witness.find("tpm2_activatecredential"),
            let createEK = try Witness.find("tpm2_createek"), let createAK = try Witness.find("tpm2_createak"),
            let startSession = try Witness.find("tpm2_startauthsession"),
            let policySecret = try Witness.find("tpm2_policysecret"),
            let flush = try Witness.find("tpm2_flushcontext")
        else { return }
        let tpm = try SoftwareTPM.copy(), directory = try TemporaryDirectory()
        let secret = SecureRandom.bytes(32)
        do {
            let device = try tpm.device()
            let endorsement = try device.endorsementKey(template), key = try device.attestationKey()
            let area = endorsement.publicArea.bytes
            let file = try directory.write([UInt8(area.count >> 8), UInt8(area.count & 0xFF)] + area, "ek.pub")
            let made = try make.run([
                "-T", "none", "-u", file, "-s", directory.write(secret, "secret"), "-n",
                key.publicArea.name.description, "-o",
                directory.path + "/blob",
            ])
            #expect(made.status == 0, "\(made.errors)")
            let credential = try TPM.Credential(parsingToolsFile: directory.read("blob"))
            #expect(try device.activate(credential, for: key, endorsementKey: endorsement) == secret)
        }
        func tool(_ witness: Witness, _ arguments: [String]) throws {
            let testimony = try witness.run(
                arguments, environment: ["TPM2TOOLS_TCTI": tpm.tcti], directory: directory.path)
            #expect(testimony.status == 0, "\(witness.path): \(testimony.errors)")
        }
        try tool(createEK, ["-c", "ek.ctx", "-G", algorithm, "-u", "ek.pub"])
        try tool(flush, ["-t"])
        try tool(
            createAK,
            [
                "-C", "ek.ctx", "-c", "ak.ctx", "-G", "ecc", "-g", "sha256", "-s", "ecdsa", "-u", "ak.pub", "-n",
                "ak.name",
            ])
        try tool(flush, ["-t"])
        let ekFile = try directory.read("ek.pub"), nameFile = try directory.read("ak.name")
        let credential = try TPM.Credential.make(
            secret, for: TPM.Name(parsing: nameFile), in: TPM.Public(parsing: Array(ekFile.dropFirst(2))))
        _ = try directory.write(credential.toolsFile, "ours")
        try tool(startSession, ["--policy-session", "-S", "session.ctx"])
        try tool(policySecret, ["-S", "session.ctx", "-c", "e"])
        try tool(activate, ["-c", "ak.ctx", "-C", "ek.ctx", "-i", "ours", "-o", "opened", "-P", "session:session.ctx"])
        #expect(try directory.read("opened") == secret)
    }

    @Test("The passport key signs ES256 and is certified; the encryption key agrees as in software")
    func boundKeys() throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        let attestation = try device.attestationKey()
        let unique = SecureRandom.bytes(32)
        do {
            let key = try device.signingKey(unique: unique)
            let message = Array("proof".utf8)
            let signature = try device.sign(digest: HashAlgorithm.sha256.hash(message), with: key)
            #expect(try key.publicArea.publicKey().isValidECDSASignature(fixedWidth: signature, over: message, .sha256))
            let certified = try device.certify(key, by: attestation, qualifyingData: [1, 2])
            let attest = try TPM.Attest(parsing: certified.attest)
            guard case .certify(let info) = attest.attested else { return #expect(Bool(false)) }
            #expect(info.name == key.publicArea.name.bytes && attest.extraData == [1, 2])
            #expect(
                try attestation.publicArea.isValid(TPM.Signature(parsing: certified.signature), over: certified.attest))
        }
        let key = try device.encryptionKey(unique: unique)
        let peer = try PrivateKey.generate(), point = try #require(peer.publicKey.point)
        #expect(
            try device.sharedSecret(x: point.x, y: point.y, with: key)
                == peer.sharedSecret(with: key.publicArea.publicKey()))
        let again = try device.encryptionKey(unique: unique)
        #expect(again.publicArea.name == key.publicArea.name)
    }

    @Test("A boot is measured, and a reboot is a new epoch")
    func boot() throws {
        let tpm = try SoftwareTPM.copy(), log = GoodBoot.log()
        try tpm.measure(log)
        let replay = try #require(ReplayedEventLog(EventLog(parsing: log.bytes), bank: .sha256))
        let selection = TPM.PCRSelectionList(bank: .sha256, indices: GoodBoot.pcrs)
        func attest() throws -> (values: [Int: [UInt8]], resetCount: UInt32) {
            let device = try tpm.device()
            let quote = try device.quote(selection, by: device.attestationKey(), qualifyingData: [])
            return (
                try device.readPCRs(selection)[.sha256] ?? [:],
                try TPM.Attest(parsing: quote.attest).clockInfo.resetCount
            )
        }
        let first = try attest()
        for pcr in GoodBoot.pcrs { #expect(first.values[pcr] == replay.value(ofPCR: pcr), "PCR \(pcr)") }
        try tpm.reboot()
        let second = try attest()
        #expect(second.resetCount > first.resetCount && second.values[4] == [UInt8](repeating: 0, count: 32))
    }

    @Test("Slots are freed: many keys in a row fit into three")
    func slots() throws {
        let tpm = try SoftwareTPM.copy(), device = try tpm.device()
        for _ in 0..<10 { _ = try device.attestationKey() }
    }

    @Test("An absent device, a bad name and a busy TPM are told apart, each with the next step")
    func errors() throws {
        func description(_ name: String) -> String {
            do {
                _ = try TPMDevice(name)
                return "opened"
            } catch {
                return "\(error)"
            }
        }
        let absent = description("device:/dev/no-such-tpm")
        #expect(absent.contains("/dev/no-such-tpm") && absent.contains("--tcti"))
        let bad = description("nonsense:x=y")
        #expect(bad.contains("nonsense:x=y") && bad.contains("cannot be opened"))
        #expect(description("swtpm:path=/no/such/socket").contains("/no/such/socket"))
    }

    @Test("A TPM that accepts the connection and says nothing is reported as busy", .timeLimit(.minutes(5)))
    func busy() throws {
        let directory = try TemporaryDirectory()
        for name in ["tpm.sock", "tpm.sock.ctrl"] {
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) {
                $0.copyBytes(from: (directory.path + "/" + name).utf8.prefix(100))
            }
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0 && listen(listener, 8) == 0)
        }
        do {
            _ = try TPMDevice("swtpm:path=\(directory.path)/tpm.sock", patience: 1)
            #expect(Bool(false), "nobody answers there")
        } catch {
            #expect(error.code == .busy && error.description.contains(directory.path))
        }
    }

    @Test("Losing power with keys loaded does not lock the TPM: they are exempt from the protection against guessing")
    func powerLoss() throws {
        let tpm = try SoftwareTPM.copy(), state = AttesterState()
        for _ in 0..<6 {
            let collector = EvidenceCollector(device: try tpm.device(), state: state)
            let selection = TPM.PCRSelectionList(bank: .sha256, indices: [0])
            _ = try collector.quote(nonce: [1, 2, 3], selection)
            try tpm.reboot()
        }
    }
}

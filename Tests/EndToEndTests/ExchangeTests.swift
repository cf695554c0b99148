import CarnetClient
import CarnetAttester
import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import HTTPTypes
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// Real TPM commands, a real verifier over HTTP: from enrolment to an opened secret, and the ways in which it must fail.
@Suite("A machine and its verifier", .serialized, .timeLimit(.minutes(5)))
struct ExchangeTests {
    /// Runs `body` with a client for the office, and closes its connections.
    private func connected<Value: Sendable>(
        _ client: ServiceClient, _ body: (AttesterClient) async throws -> Value
    ) async throws -> Value {
        let connection = try ServiceConnection("http://127.0.0.1:\(client.port)", allowPlainHTTP: true)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(AttesterClient(connection)))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        return try result.get()
    }

    @Test(
        "With every kind of key a machine earns a passport, proves it, and opens a secret that was granted to it",
        arguments: TPMDevice.AttestationKeyKind.allCases, TPM.EndorsementKeyTemplate.allCases)
    func story(kind: TPMDevice.AttestationKeyKind, template: TPM.EndorsementKeyTemplate) async throws {
        let tpm = try SoftwareTPM.copy(), logs = LogSources(eventLog: .bytes(GoodBoot.log().bytes))
        if template == .eccP256 { try tpm.certifyP256() }
        try tpm.measure(GoodBoot.log())
        let office = try Office(trusting: tpm)
        try await office.verifier.run { client in
            let device = try tpm.device()
            let state = AttesterState(attestationKey: kind)
            let collector = EvidenceCollector(device: device, state: state)
            let attested = try await connected(client) { attester in
                let enrolled = try await attester.enrol(collector, name: "node", template: template, logs: logs)
                #expect(enrolled.state == "approved" && enrolled.subject.hasPrefix("urn:carnet:node:"))
                return try await attester.attest(collector, logs: logs)
            }
            #expect(attested.findings.isEmpty)
            let token = try #require(attested.token)
            let relyingParty = try await Office.relyingParty(client)
            let passport = try relyingParty.verify(token, at: Office.now)
            let request = ProvenRequest(method: "POST", uri: "https://vault.example/disk")
            let key = try device.signingKey(unique: state.signingUnique)
            let proof = try PossessionProof(
                for: request, showing: token, key: JSONWebKey(key.publicArea.publicKey()), issuedAt: Office.now
            ) { try device.sign(digest: $0, with: key) }
            let caller = try relyingParty.prove(passport, by: proof.token, of: request, at: Office.now)
            let secret = SecureRandom.bytes(32)
            let sealed = try SecretGrant.seal(secret, to: caller, at: Office.now)
            let opener = try device.encryptionKey(unique: state.encryptionUnique)
            #expect(
                try SecretMessage.open(sealed) { try device.sharedSecret(x: $0.x, y: $0.y, with: opener) } == secret)
            let stranger = try device.encryptionKey(unique: SecureRandom.bytes(32))
            #expect(throws: JOSEError.self) {
                try SecretMessage.open(sealed) { try device.sharedSecret(x: $0.x, y: $0.y, with: stranger) }
            }
        }
    }

    @Test("Files that run are appraised, only the new ones the next time, and the whole list after a reboot")
    func files() async throws {
        let tpm = try SoftwareTPM.copy(), boot = GoodBoot.log()
        let measured = try GoodBoot.imaList()
        try tpm.measure(boot)
        try tpm.measure(measured)
        let digits = HashAlgorithm.sha256.hash(Array("/usr/bin/bash".utf8)).hex
        let systemd = HashAlgorithm.sha256.hash(Array("/usr/lib/systemd/systemd".utf8)).hex
        let policy =
            try GoodBoot.policy(for: boot) + """
                    10: ignore
                ima:
                  allow: {digests: ["sha256:\(digits)", "sha256:\(systemd)"]}
                  exclude: ["/tmp/*"]

                """
        let office = try Office(trusting: tpm, policy: policy)
        try await office.verifier.run { client in
            let collector = EvidenceCollector(device: try tpm.device(), state: AttesterState())
            var list = measured
            func attest(_ list: IMAListBuilder) async throws -> (status: String?, [Finding]) {
                let logs = LogSources(eventLog: .bytes(boot.bytes), imaList: .bytes(list.bytes))
                let attested = try await connected(client) { try await $0.attest(collector, logs: logs) }
                let claims = try attested.token.map { token in
                    let payload = token.split(separator: UInt8(ascii: "."))[1]
                    return try JSONDocument(parsing: Base64URL.decode(payload) ?? [], maximumByteCount: 65_536).root
                }
                return (claims?["ear_status"]?.string, attested.findings)
            }
            let logs = LogSources(eventLog: .bytes(boot.bytes))
            _ = try await connected(client) {
                try await $0.enrol(collector, name: "node", template: .rsa2048, logs: logs)
            }
            /// Whether the last verdict is reached again byte for byte: by a real TPM's quote, under the policy of then.
            func isReachedAgain() async throws -> Bool? {
                let admin = try office.verifier.administrator
                let nodes = try await client.call(.get, "/admin/v1/nodes", token: admin).json["nodes"]?.elements
                let id = nodes?.first?["id"]?.string ?? ""
                let kept = try await client.call(.get, "/admin/v1/nodes/\(id)/evidence", token: admin).json
                return try await client.call(
                    .post, "/admin/v1/appraisals/\(kept["appraisal"]?.string ?? "")/reappraisal", token: admin
                ).json["same"]?.boolean
            }
            let first = try await attest(list)
            #expect(first.status == "affirming", "\(first)")
            #expect(try await isReachedAgain() == true)
            GoodBoot.addFile("/tmp/new", [1], to: &list)
            try tpm.measure(list, from: 3)
            let second = try await attest(list)
            #expect(second.status == "affirming", "\(second)")
            #expect(try await isReachedAgain() == true, "a part that went on from what was verified before")
            // Although only the new entry travelled, a new policy is tried on the whole list.
            func rehearse(_ text: String) async throws -> JSONNode? {
                let answer = try await client.call(
                    .post, "/admin/v1/policies/rehearsal", token: office.verifier.administrator,
                    type: "application/yaml", body: Array(text.utf8))
                return try answer.json["nodes"]?.elements?.first
            }
            let same = try await rehearse(policy)
            #expect(same?["then"]?.string == "affirming", "\(String(describing: same?["findings"]))")
            let stricter = try await rehearse(policy.replacing("/tmp/*", with: "/var/tmp/*"))
            let found = stricter?["findings"]?.elements ?? []
            #expect(stricter?["then"]?.string == "contraindicated" && found.map { $0["event"]?.integer } == [3])
            let first3 = try await rehearse(policy.replacing("\"sha256:\(digits)\", ", with: ""))
            #expect(first3?["findings"]?.elements?.contains { $0["event"]?.integer == 2 } == true)
            // What stands behind the quoted value comes again with the next part, and is kept once.
            GoodBoot.addFile("/tmp/later", [4], to: &list)
            let beyond = try await attest(list)
            #expect(beyond.status == "affirming", "\(beyond)")
            try tpm.measure(list, from: 4)
            let caught = try await attest(list)
            #expect(caught.status == "affirming", "\(caught)")
            let whole = try await rehearse(policy.replacing("/tmp/*", with: "/tmp/new"))
            #expect(whole?["findings"]?.elements?.map { $0["event"]?.integer } == [4], "\(String(describing: whole))")
            // What was verified under another policy is not verified under this one.
            try await office.activate(policy.replacing("/tmp/*", with: "/tmp/later"), client)
            let other = try await attest(list)
            #expect(other.status == "contraindicated" && other.1.map(\.event) == [3], "\(other)")
            try await office.activate(policy, client)
            // A machine that was restarted has another list: the part is refused, and the whole is sent in the same call.
            try tpm.reboot()
            try tpm.measure(boot)
            var fresh = try GoodBoot.imaList()
            GoodBoot.addFile("/tmp/other", [2], to: &fresh)
            GoodBoot.addFile("/tmp/another", [3], to: &fresh)
            try tpm.measure(fresh)
            let third = try await attest(fresh)
            #expect(third.status == "affirming", "\(third)")
            GoodBoot.addFile("/usr/bin/evil", [6], to: &fresh)
            try tpm.measure(fresh, from: 5)
            for _ in 0..<2 {
                let evil = try await attest(fresh)
                #expect(evil.status == "contraindicated" && evil.1.first?.rule == "ima-unknown", "\(evil)")
                #expect(try await isReachedAgain() == true)
            }
            let last = try await rehearse(policy.replacing("/tmp/*", with: "/**/evil"))
            #expect(last?["findings"]?.elements?.map { $0["event"]?.integer } == [3, 4])
        }
    }

    @Test("A tampered machine gets a signed refusal that names PCR and event; a doctored log gets nothing")
    func tampered() async throws {
        let tpm = try SoftwareTPM.copy(), good = GoodBoot.log(), bad = GoodBoot.tamperedLog()
        try tpm.measure(good)
        let office = try Office(trusting: tpm)
        try await office.verifier.run { client in
            let state = AttesterState()
            _ = try await connected(client) {
                try await $0.enrol(
                    EvidenceCollector(device: tpm.device(), state: state), name: "node", template: .rsa2048,
                    logs: LogSources(eventLog: .bytes(good.bytes)))
            }
            try tpm.measure(bad, from: good.measurements.count)
            let collector = EvidenceCollector(device: try tpm.device(), state: state)
            let told = try await connected(client) {
                try await $0.attest(collector, logs: LogSources(eventLog: .bytes(bad.bytes)))
            }
            let finding = try #require(told.findings.first { $0.family == .policyViolation })
            #expect(told.token != nil && finding.pcr == 4 && finding.event != nil && !finding.remedy.isEmpty)
            let relyingParty = try await Office.relyingParty(client)
            let token = try #require(told.token)
            #expect(throws: Refusal.self) { try relyingParty.verify(token, at: Office.now) }

            let doctored = try await connected(client) {
                try await $0.attest(collector, logs: LogSources(eventLog: .bytes(good.bytes)))
            }
            #expect(doctored.token == nil)
            #expect(doctored.findings.contains { $0.family == .brokenEvidenceChain && $0.pcr == 4 })
        }
    }

    @Test("Without the log that the policy wants nothing is sent, and the message says what to do")
    func missingLog() async throws {
        let tpm = try SoftwareTPM.copy()
        try tpm.measure(GoodBoot.log())
        let office = try Office(trusting: tpm)
        try await office.verifier.run { client in
            let collector = EvidenceCollector(device: try tpm.device(), state: AttesterState())
            let failure = await #expect(throws: LogError.self) {
                try await connected(client) { attester in
                    _ = try await attester.enrol(collector, name: "node", template: .rsa2048, logs: LogSources())
                    return try await attester.attest(collector, logs: LogSources())
                }
            }
            #expect(failure?.description.contains("--event-log") == true)
        }
    }

    @Test("A TPM of another maker is refused, with the problem readable")
    func stranger() async throws {
        let office = try Office(trusting: SoftwareTPM.copy())
        let folder = try TemporaryTPM(), tpm = folder.tpm
        try await office.verifier.run { client in
            let collector = EvidenceCollector(device: try tpm.device(), state: AttesterState())
            let failure = await #expect(throws: ServiceConnection.Failure.self) {
                try await connected(client) {
                    try await $0.enrol(collector, name: "node", template: .rsa2048, logs: LogSources())
                }
            }
            #expect(failure?.code == .refused && (400..<500).contains(failure?.status ?? 0))
            #expect(failure?.description.contains("refused") == true && failure?.problem != nil)
        }
        withExtendedLifetime(folder) {}
    }

    @Test("A machine that no operator approved gets no passport")
    func pending() async throws {
        let tpm = try SoftwareTPM.copy(), logs = LogSources(eventLog: .bytes(GoodBoot.log().bytes))
        try tpm.measure(GoodBoot.log())
        let office = try Office(trusting: tpm, approves: false)
        try await office.verifier.run { client in
            let collector = EvidenceCollector(device: try tpm.device(), state: AttesterState())
            let enrolled = try await connected(client) {
                try await $0.enrol(collector, name: "node", template: .rsa2048, logs: logs)
            }
            #expect(enrolled.state == "pending")
            let attested = try await connected(client) { try await $0.attest(collector, logs: logs) }
            #expect(attested.token == nil && !attested.findings.isEmpty)
        }
    }

    @Test("A key in a file is bound to a passport for one audience, and the passport says that it is in a file")
    func foreignKey() async throws {
        let tpm = try SoftwareTPM.copy(), logs = LogSources(eventLog: .bytes(GoodBoot.log().bytes))
        try tpm.measure(GoodBoot.log())
        let cluster = "https://cluster-a.example/?a=b&c#d"
        let office = try Office(trusting: tpm, alsoFor: [cluster])
        try await office.verifier.run { client in
            let device = try tpm.device(), state = AttesterState()
            let key = try JSONWebKey(PrivateKey.generate().publicKey)
            let binding = KeyBinding(foreignKey: key)
            let collector = EvidenceCollector(device: device, state: state, binding: binding)
            let evidence = try collector.quote(nonce: [1], .init(bank: .sha256, indices: GoodBoot.pcrs))
            #expect(evidence.keyAttestation == nil && evidence.encryptionKeyAttestation == nil)
            let (token, other) = try await connected(client) { attester in
                _ = try await attester.enrol(collector, name: "node", template: .rsa2048, logs: logs)
                let token = try await attester.attest(collector, logs: logs, audience: cluster).token
                await #expect(throws: ServiceConnection.Failure.self) {
                    try await attester.attest(collector, logs: logs, audience: "https://cluster-b.example")
                }
                return (token, try await attester.attest(collector, logs: logs).token)
            }
            let keys = try await client.call(.get, "/.well-known/jwks.json").body,
                lists = try await client.statusLists()
            func verify(_ token: [UInt8]?, for audience: String, _ protection: KeyProtection) throws -> VerifiedResult {
                var expectations = Expectations(issuer: VerifierUnderTest.issuer, audience: audience)
                expectations.minimumKeyProtection = protection
                return try PassportVerifier(keySet: keys, expectations: expectations).checking(lists)
                    .verify(token ?? [], at: Office.now)
            }
            let passport = try verify(token, for: cluster, .software)
            #expect(passport.keyThumbprint == key.thumbprint)
            #expect(passport.submodules["tpm"]?.encryptionKey == nil)
            #expect(throws: Refusal.self) { try verify(token, for: VerifierUnderTest.audience, .software) }
            #expect(throws: Refusal.self) { try verify(token, for: cluster, .tpm) }
            #expect(throws: Never.self) { try verify(other, for: VerifierUnderTest.audience, .software) }
            #expect(throws: Never.self) { try verify(other, for: cluster, .software) }
        }
    }

    @Test("The first evidence's quote covers the nonce, the keys and the PCRs that were asked for")
    func collection() throws {
        let tpm = try SoftwareTPM.copy()
        try tpm.measure(GoodBoot.log())
        let collector = EvidenceCollector(device: try tpm.device(), state: AttesterState())
        let nonce = SecureRandom.bytes(32)
        let selection = TPM.PCRSelectionList(bank: .sha256, indices: GoodBoot.pcrs)
        let evidence = try collector.quote(nonce: nonce, selection)
        let attest = try TPM.Attest(parsing: evidence.quote.attest)
        #expect(attest.extraData == QualifyingData.ofQuote(nonce: nonce, bound: evidence.bound))
        #expect(try Evidence(parsing: evidence.bytes) == evidence)
        for attestation in [evidence.keyAttestation, evidence.encryptionKeyAttestation] {
            let certified = try TPM.Attest(parsing: #require(attestation).certification.attest)
            #expect(certified.extraData == QualifyingData.ofCertification(nonce: nonce, bound: evidence.bound))
        }
    }
}

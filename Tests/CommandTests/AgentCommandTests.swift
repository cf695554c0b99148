import CarnetAttester
import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// The program as users see it: words, files, exit statuses.
@Suite("carnet-agent", .serialized, .timeLimit(.minutes(5)))
struct AgentCommandTests {
    private let agent = Program("carnet-agent")

    @Test(
        "Every command has help with an example",
        arguments: [[], ["enrol"], ["attest"], ["prove"], ["open"], ["evidence"], ["info"]])
    func help(command: [String]) async throws {
        let ending = try await agent.run(command + ["--help"])
        #expect(ending.status == 0 && ending.text.contains("carnet-agent") && ending.text.contains("Example"))
    }

    @Test(
        "Wrong usage ends with status 2 and a usage line",
        arguments: [
            ["fly"], ["enrol"], ["attest", "--verifier"], ["prove", "--method", "GET"], ["enrol", "--colour", "red"],
            ["attest", "--verifier", "http://127.0.0.1:1", "--tcti", "swtpm:path=/no/such/socket", "--state", "/no"],
            ["evidence", "--requirements", "/dev/null"],
        ])
    func usage(arguments: [String]) async throws {
        let ending = try await agent.run(arguments)
        // A TPM that is not there may be noticed before a missing state.
        #expect(ending.status == 2 || (arguments.contains("--tcti") && ending.status == 3), "\(ending.errors)")
        #expect(!ending.errors.isEmpty && ending.output.isEmpty)
    }

    @Test("An absent TPM ends with status 3, and the message names the device and the next step")
    func absent() async throws {
        let ending = try await agent.run(["info", "--tcti", "device:/dev/no-such-tpm"])
        #expect(ending.status == 3 && ending.output.isEmpty)
        #expect(ending.errors.contains("/dev/no-such-tpm") && ending.errors.contains("--tcti"))
    }

    @Test("info tells maker, firmware and the hash that an operator compares")
    func info() async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory()
        try tpm.certifyP256()
        let fingerprint = Hexadecimal.encode(try EndorsementKey(checking: Self.endorsement(tpm)).fingerprint)
        let place = ["--tcti", tpm.tcti, "--state", folder.path + "/agent"]
        let plain = try await agent.run(["info"] + place)
        #expect(plain.status == 0 && plain.text.contains("IBM") && plain.text.contains(fingerprint))
        let ending = try await agent.run(["info", "--json"] + place)
        let root = try JSONDocument(parsing: ending.output, maximumByteCount: 65_536).root
        #expect(root["manufacturer"]?.string == "IBM")
        #expect(root["endorsementKeys"]?["rsa"]?["sha256"]?.string == fingerprint)
        #expect(root["endorsementKeys"]?["ecc"]?["certificate"]?.string?.contains("swtpm-localca") == true)
    }

    private static func endorsement(_ tpm: SoftwareTPM) throws -> TPM.Public {
        try tpm.device().endorsementKey(.rsa2048).publicArea
    }

    @Test("Enrol, attest, prove and open; a second machine with the same files can do neither of the last two")
    func story() async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory(), log = GoodBoot.log()
        try tpm.measure(log)
        let logFile = try folder.write(log.bytes, "event-log.bin")
        let office = try Office(trusting: tpm)
        let machine = ["--tcti", tpm.tcti, "--state", folder.path + "/agent"]
        try await office.verifier.run { client in
            let verifier = ["--verifier", "http://127.0.0.1:\(client.port)", "--plain-http", "--event-log", logFile]
            let early = try await agent.run(["attest"] + machine + verifier)
            #expect(early.status == 2 && early.errors.contains("enrol"))
            let enrolled = try await agent.run(["enrol", "--name", "node-17", "--json"] + machine + verifier)
            #expect(enrolled.status == 0, "\(enrolled.errors)")
            let answer = try JSONDocument(parsing: enrolled.output, maximumByteCount: 65_536).root
            #expect(answer["state"]?.string == "approved")

            let file = folder.path + "/passport.jwt"
            let attested = try await agent.run(["attest", "--out", file] + machine + verifier)
            #expect(attested.status == 0 && attested.text.contains("affirming"), "\(attested.errors)")
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains(".new-") })

            let token = try folder.read("passport.jwt")
            let relyingParty = try await Office.relyingParty(client)
            let passport = try relyingParty.verify(token, at: Office.now)
            let url = "https://vault.example/disk?x=1"
            let prove = ["prove", file, "--method", "POST", "--url", url]
            let proof = try await agent.run(prove + machine)
            #expect(proof.status == 0, "\(proof.errors)")
            let request = ProvenRequest(method: "POST", uri: url)
            let proofFile = try folder.write(proof.output, "proof.jwt")
            let caller = try relyingParty.prove(
                passport, by: Array(proof.output.dropLast()), of: request, at: Office.now)
            let secret = SecureRandom.bytes(32)
            let sealed = try SecretGrant.seal(secret, to: caller, at: Office.now)
            let message = try folder.write(sealed, "disk.jwe")
            let opened = try await agent.run(["open", message, "--passport", file, "--proof", proofFile] + machine)
            #expect(opened.status == 0 && opened.output == secret, "\(opened.errors)")
            // A message that answers another proof, or none, is not opened unless it is asked for.
            let otherFile = folder.path + "/other.jwt"
            let other = try await agent.run(prove + ["--out", otherFile] + machine)
            #expect(other.status == 0 && other.output.isEmpty, "\(other.errors)")
            #expect(throws: Never.self) { try CompactJWS(parsing: folder.read("other.jwt")) }
            let wrong = try await agent.run(["open", message, "--passport", file, "--proof", otherFile] + machine)
            #expect(wrong.status == 1 && wrong.output.isEmpty && wrong.errors.contains("apv"), "\(wrong)")
            #expect(try await agent.run(["open", message] + machine).status == 2)
            #expect(try await agent.run(["open", message, "--any-sender"] + machine).output == secret)

            // To a service that does not speak HTTP.
            let challenges = PossessionChallenges()
            let challenge = challenges.issue(at: Office.now),
                words = ["prove", file, "--challenge", Base64URL.encode(challenge)]
            let name = relyingParty.expectations.audience
            let answer128 = try await agent.run(words + ["--audience", name, "--channel-binding", "AQI"] + machine)
            #expect(answer128.status == 0, "\(answer128.errors)")
            let bytes = try #require(Base64URL.decode(answer128.text.dropLast()))
            let there = try relyingParty.prove(
                passport, byAnswer: bytes, to: challenge, of: challenges, channelBinding: [1, 2], at: Office.now)
            #expect(there.manner == .challenge)
            let usages = [
                [], ["--audience", ""], ["--audience", name, "--method", "GET"],
                ["--audience", name, "--channel-binding", "="], ["--audience", name, "--channel-binding", ""],
            ]
            for usage in usages { #expect(try await agent.run(words + usage + machine).status == 2, "\(usage)") }
            for short in ["AAAA", Base64URL.encode(challenge + [0]), "!"] {
                let ending = try await agent.run(["prove", file, "--challenge", short, "--audience", name] + machine)
                #expect(ending.status == 2)
            }
            #expect(try await agent.run(["prove", file, "--method", "GET"] + machine).status == 2)
            #expect(try await agent.run(prove + ["--audience", name] + machine).status == 2)

            // The thief has every file, the agent's state included, and another TPM.
            let thiefTPM = try TemporaryTPM(), thief = ["--tcti", thiefTPM.tpm.tcti, "--state", folder.path + "/agent"]
            let stolen = try await agent.run(prove + thief)
            #expect(stolen.status == 0)
            #expect(throws: Refusal.self) {
                try relyingParty.prove(passport, by: Array(stolen.output.dropLast()), of: request, at: Office.now)
            }
            let unopened = try await agent.run(["open", message, "--any-sender"] + thief)
            #expect(unopened.status == 1 && unopened.output.isEmpty && !unopened.errors.isEmpty)
        }
    }

    @Test("A tampered machine ends with status 1, and its findings are printed; a verifier that is gone with status 3")
    func tampered() async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory(), good = GoodBoot.log()
        try tpm.measure(good)
        let office = try Office(trusting: tpm)
        let machine = ["--tcti", tpm.tcti, "--state", folder.path + "/agent"]
        let goodFile = try folder.write(good.bytes, "good.bin")
        let badFile = try folder.write(GoodBoot.tamperedLog().bytes, "bad.bin")
        let address = try await office.verifier.run { client in
            let verifier = ["--verifier", "http://127.0.0.1:\(client.port)", "--plain-http"]
            let enrol = ["enrol", "--name", "node-17", "--event-log", goodFile]
            let enrolled = try await agent.run(enrol + machine + verifier)
            #expect(enrolled.status == 0, "\(enrolled.errors)")
            try tpm.measure(GoodBoot.tamperedLog(), from: good.measurements.count)
            let refused = try await agent.run(["attest", "--event-log", badFile] + machine + verifier)
            #expect(refused.status == 1 && refused.errors.contains("PCR 4"), "\(refused.errors)")
            let json = try await agent.run(["attest", "--event-log", goodFile, "--json"] + machine + verifier)
            let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
            #expect(json.status == 1 && root["status"]?.string == "failed" && root["passport"] == nil)
            let logless = try await agent.run(["attest", "--no-event-log"] + machine + verifier)
            #expect(logless.status == 2 && logless.errors.contains("--event-log"))
            return verifier
        }
        let gone = try await agent.run(["attest", "--event-log", goodFile] + machine + address)
        #expect(gone.status == 3 && gone.errors.contains("cannot be reached"))
    }

    @Test("Evidence for a relying party's own nonce covers what was asked")
    func evidence() async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory()
        try AttesterState().save(in: folder.path + "/agent")
        let nonce = SecureRandom.bytes(32)
        let text = #"{"nonce":"\#(Base64URL.encode(nonce))","pcr_selection":[{"bank":"sha256","pcrs":[0,7]}]}"#
        let file = try folder.write(Array(text.utf8), "requirements.json")
        let machine = ["--tcti", tpm.tcti, "--state", folder.path + "/agent", "--no-event-log"]
        let ending = try await agent.run(["evidence", "--requirements", file] + machine)
        #expect(ending.status == 0, "\(ending.errors)")
        let evidence = try Evidence(parsing: Array(ending.output.dropLast()))
        let attest = try TPM.Attest(parsing: evidence.quote.attest)
        #expect(attest.extraData == QualifyingData.ofQuote(nonce: nonce, bound: evidence.bound))
        #expect(evidence.pcrs[.sha256]?.keys.sorted() == [0, 7])
        let bad = try folder.write(Array(#"{"nonce":"AA","pcr_selection":[]}"#.utf8), "bad.json")
        #expect(try await agent.run(["evidence", "--requirements", bad] + machine).status == 2)
    }

    @Test("A state that others may change is not used")
    func exposedState() async throws {
        let folder = try TemporaryDirectory()
        try AttesterState().save(in: folder.path)
        let file = folder.path + "/attester.json"
        #expect(try AttesterState(in: folder.path) != nil)
        #expect(chmod(file, 0o666) == 0)
        #expect(throws: AttesterState.Unusable.self) { try AttesterState(in: folder.path) }
        #expect(chmod(file, 0o600) == 0)
        let link = try TemporaryDirectory()
        try FileManager.default.createSymbolicLink(atPath: link.path + "/attester.json", withDestinationPath: file)
        #expect(throws: AttesterState.Unusable.self) { try AttesterState(in: link.path) }
        if geteuid() == 0 {
            #expect(chown(file, 65534, 65534) == 0)
            #expect(throws: AttesterState.Unusable.self) { try AttesterState(in: folder.path) }
            #expect(chown(file, 0, 0) == 0)
        }
        for spoiled in ["{}", "{\"version\":2}", "[]", "", "{\"version\":1,\"attestation_key\":\"dsa\"}"] {
            try Data(spoiled.utf8).write(to: URL(filePath: file))
            #expect(throws: AttesterState.Unusable.self) { try AttesterState(in: folder.path) }
        }
    }
}

import CarnetAttester
import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import TPM2
import Testing
import VerifierHarness

/// Passports and secrets that follow the machine's state, with the programs alone.
@Suite(
    "carnet-agent attest --key-protection tpm-state, carnet grant --form tpm-import", .serialized,
    .timeLimit(.minutes(5)))
struct StateCommandTests {
    private let agent = Program("carnet-agent"), carnet = Program("carnet")
    private let tpm: SoftwareTPM, folder: TemporaryDirectory, logFile: String, machine: [String]
    private let url = "https://vault.example/disk"

    init() throws {
        tpm = try SoftwareTPM.copy()
        folder = try TemporaryDirectory()
        try tpm.measure(GoodBoot.log())
        logFile = try folder.write(GoodBoot.log().bytes, "event-log.bin")
        machine = ["--tcti", tpm.tcti, "--state", folder.path + "/agent"]
    }

    private func move(pcr: Int) throws {
        try tpm.device().extend(pcr: pcr, bank: .sha256, digest: [UInt8](repeating: 1, count: 32))
    }

    @Test("A passport dies with the state, and so does what was sealed to it")
    func story() async throws {
        let office = try Office(trusting: tpm), passport = folder.path + "/passport.jwt"
        try await office.verifier.run { client in
            let verifier = ["--verifier", "http://127.0.0.1:\(client.port)", "--plain-http", "--event-log", logFile]
            let enrolled = try await agent.run(["enrol", "--name", "node-17"] + machine + verifier)
            #expect(enrolled.status == 0, "\(enrolled.errors)")
            let keys = ["--key-protection", "tpm-state", "--storage-key"]
            let attested = try await agent.run(["attest", "--out", passport] + keys + machine + verifier)
            #expect(attested.status == 0, "\(attested.errors)")
            let token = try folder.read("passport.jwt")
            #expect(token.count <= 4096)

            let keySet = try await client.call(.get, "/.well-known/jwks.json").body
            let relyingParty = [
                passport, "--jwks", try folder.write(keySet, "jwks.json"), "--issuer", VerifierUnderTest.issuer,
                "--audience", VerifierUnderTest.audience, "--key-protection", "tpm-state", "--skip-status",
            ]
            let verified = try await carnet.run(["verify"] + relyingParty)
            #expect(verified.status == 0, "\(verified.errors)")
            let inspected = try await carnet.run(["inspect", "token", passport])
            #expect(inspected.status == 0 && inspected.text.contains("tpm-state"))

            let prove = ["prove", passport, "--method", "POST", "--url", url] + machine
            let proof = try folder.write(try await agent.run(prove).output, "proof.jwt")
            let secret = SecureRandom.bytes(32), secretFile = try folder.write(secret, "disk.key")
            let request = ["--proof", proof, "--method", "POST", "--url", url, "--secret", secretFile]
            var messages: [String] = []
            for form in ["jwe", "tpm-import"] {
                let message = folder.path + "/disk." + form
                let granted = try await carnet.run(
                    ["grant"] + relyingParty + request + ["--form", form, "--out", message])
                #expect(granted.status == 0, "\(form): \(granted.errors)")
                messages.append(message)
                let open = ["open", message, "--passport", passport, "--proof", proof] + machine
                let opened = try await agent.run(open)
                #expect(opened.status == 0 && opened.output == secret, "\(form): \(opened.errors)")
            }
            // The same key answers the challenge of a service that does not speak HTTP.
            let shop = try await Office.relyingParty(client), challenges = PossessionChallenges()
            let challenge = challenges.issue(at: Office.now)
            let answering = [
                "prove", passport, "--challenge", Base64URL.encode(challenge), "--audience", VerifierUnderTest.audience,
            ]
            let answer = try await agent.run(answering + machine)
            let bytes = try #require(Base64URL.decode(answer.text.dropLast()), "\(answer.errors)")
            let shown = try shop.verify(token, at: Office.now)
            _ = try shop.prove(shown, byAnswer: bytes, to: challenge, of: challenges, at: Office.now)
            let long = try folder.write(SecureRandom.bytes(129), "long.key")
            let tooLong = try await carnet.run(
                ["grant"] + relyingParty + Array(request.dropLast()) + [long, "--form", "tpm-import"])
            #expect(tooLong.status == 1 && tooLong.errors.contains("1 to 128"), "\(tooLong.errors)")
            // Another proof: the TPM compares, and says no.
            let other = try folder.write(try await agent.run(prove).output, "other.jwt")
            let wrong = try await agent.run(
                ["open", messages[1], "--passport", passport, "--proof", other] + machine)
            #expect(wrong.status == 1 && wrong.output.isEmpty)
            #expect(try await agent.run(["open", messages[1], "--any-sender"] + machine).output == secret)

            // A PCR that no policy covers may move; one that is covered is the end of it, and the passport has not expired.
            try move(pcr: 15)
            #expect(try await agent.run(prove).status == 0)
            try move(pcr: 4)
            let dead = try await agent.run(prove)
            #expect(dead.status == 1 && dead.output.isEmpty && dead.errors.contains("no longer in the state"))
            #expect(dead.errors.contains("carnet-agent attest"), "\(dead.errors)")
            let silent = try await agent.run(answering + machine)
            #expect(silent.status == 1 && silent.output.isEmpty && silent.errors.contains("no longer in the state"))
            for message in messages {
                let closed = try await agent.run(
                    ["open", message, "--passport", passport, "--any-sender"] + machine)
                #expect(closed.status == 1 && closed.output.isEmpty && closed.errors.contains("no longer in the state"))
            }
            #expect(try await carnet.run(["verify"] + relyingParty).status == 0, "unexpired: the TPM is what refuses")
        }
    }

    @Test("Whoever demands tpm-state refuses a passport whose key is bound to the TPM only")
    func weaker() async throws {
        let forge = try TokenForge(), now = Int64(Date().timeIntervalSince1970)
        let token = try forge.signingKey.mint(forge.result(issuedAt: now))
        let options = [
            try folder.write(token, "weak.jwt"), "--jwks", try folder.write(forge.keySet, "keys.json"), "--issuer",
            "https://verifier.example", "--audience", "https://service.example",
        ]
        let refused = try await carnet.run(["verify"] + options + ["--key-protection", "tpm-state"])
        #expect(refused.status == 1 && refused.errors.contains("key-protection"), "\(refused.errors)")
        #expect(try await carnet.run(["verify"] + options).status == 0)
    }
}

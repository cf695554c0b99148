import CarnetTesting
import Fixtures
import Foundation
import HTTPTypes
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// What operators and relying parties ask of a running verifier, with a real TPM on the other side.
@Suite("carnet node, policy activate, api-token, background-check, compare", .serialized, .timeLimit(.minutes(5)))
struct OperatorCommandTests {
    private let carnet = Program("carnet"), agent = Program("carnet-agent")

    /// A machine that waits for approval, and everything that a command line needs to reach its verifier.
    private struct Scene: Sendable {
        let folder: TemporaryDirectory
        let machine: [String]
        let verifier: [String]
        let environment: [String: String]
        let log: String
    }

    private func withScene(_ body: @Sendable (Scene) async throws -> Void) async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory(), log = GoodBoot.log()
        try tpm.measure(log)
        let office = try Office(trusting: tpm, approves: false)
        let logFile = try folder.write(log.bytes, "event-log.bin")
        try await office.verifier.run { client in
            let address = "http://127.0.0.1:\(client.port)"
            let scene = Scene(
                folder: folder, machine: ["--tcti", tpm.tcti, "--state", folder.path + "/agent"],
                verifier: ["--verifier", address, "--plain-http"],
                environment: [
                    "CARNET_VERIFIER": address, "CARNET_PLAIN_HTTP": "1",
                    "CARNET_TOKEN_FILE": office.verifier.administratorFile,
                ], log: logFile)
            let keys = try await client.call(.get, "/.well-known/jwks.json").body
            _ = try folder.write(keys, "jwks.json")
            try await body(scene)
        }
    }

    @Test("A machine is listed as pending, approved by name, and removed; unknown names are told")
    func nodes() async throws {
        try await withScene { scene in
            let none = try await carnet.run(["node", "list"], environment: scene.environment)
            #expect(none.status == 0 && none.text.contains("No machine"))
            let enrol = ["enrol", "--name", "node-17", "--event-log", scene.log] + scene.machine + scene.verifier
            let enrolled = try await agent.run(enrol)
            #expect(enrolled.status == 0 && enrolled.text.contains("pending"), "\(enrolled)")
            let attest = ["attest", "--event-log", scene.log] + scene.machine + scene.verifier
            let early = try await agent.run(attest)
            #expect(early.status == 1 && early.errors.contains("approve"), "\(early)")
            let wrong = try await carnet.run(["node", "approve", "node-18"], environment: scene.environment)
            #expect(wrong.status == 1 && wrong.errors.contains("node list"))
            let approved = try await carnet.run(["node", "approve", "node-17"], environment: scene.environment)
            #expect(approved.status == 0, "\(approved)")
            let list = try await carnet.run(["node", "list", "--json"], environment: scene.environment)
            let root = try JSONDocument(parsing: list.output, maximumByteCount: 65_536).root
            #expect(root.elements?.first?["state"]?.string == "approved")
            let id = root.elements?.first?["id"]?.string ?? ""
            let shown = try await carnet.run(["node", "show", id], environment: scene.environment)
            #expect(shown.status == 0 && shown.text.contains("node-17"), "\(shown)")
            // A broker that is away hides nothing of what the verifier knows.
            let away = scene.environment.merging([
                "CARNET_BROKER": "http://127.0.0.1:1",
                "CARNET_BROKER_TOKEN_FILE": scene.environment["CARNET_TOKEN_FILE"] ?? "",
            ]) { $1 }
            let partial = try await carnet.run(["node", "show", id], environment: away)
            #expect(partial.status == 3 && partial.text.contains("attestation"), "\(partial)")
            #expect(partial.text.contains("The broker at http://127.0.0.1:1 cannot be reached"), "\(partial)")
            let object = try await carnet.run(["node", "show", id, "--json"], environment: away)
            let members = try JSONDocument(parsing: object.output, maximumByteCount: 65_536).root
            #expect(object.status == 3 && members["name"]?.string == "node-17", "\(object)")
            #expect(members["dataAtRestError"]?.string?.contains("cannot be reached") == true, "\(object)")
            let stranger = try await carnet.run(
                ["node", "show", "00000000-0000-4000-8000-000000000000"], environment: scene.environment)
            #expect(stranger.status == 1 && stranger.errors.contains("node list"), "\(stranger)")
            #expect(try await agent.run(attest).status == 0)
            let removed = try await carnet.run(["node", "remove", "node-17"], environment: scene.environment)
            #expect(removed.status == 0 && removed.text.contains("until they expire"))
            #expect(try await agent.run(attest).status == 1)
        }
    }

    @Test("A list of several pages is printed whole, as one table or one JSON array") func pages() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let admin = try verifier.administrator
            let environment = [
                "CARNET_VERIFIER": "http://127.0.0.1:\(client.port)", "CARNET_PLAIN_HTTP": "1",
                "CARNET_TOKEN_FILE": verifier.administratorFile,
            ]
            let empty = try await carnet.run(["node", "registrations", "--json"], environment: environment)
            #expect(empty.text == "[\n\n]\n")
            var made: Set<String> = []
            for number in 0..<810 {
                let digest = Hexadecimal.encode(
                    [UInt8(number >> 8), UInt8(number & 0xFF)] + [UInt8](repeating: 1, count: 30))
                let body = #"{"sha256":"\#(digest)"}"#
                #expect(try await client.send(.post, "/admin/v1/endorsement-keys", token: admin, body).status == 201)
                made.insert(digest)
            }
            let list = try await carnet.run(["node", "registrations", "--json"], environment: environment)
            let elements = try JSONDocument(parsing: list.output, maximumByteCount: 1 << 20).root.elements ?? []
            #expect(list.status == 0 && elements.count == 810)
            #expect(Set(elements.compactMap { $0["sha256"]?.string }) == made)
            #expect(list.text.hasPrefix("[\n  {\n    \"createdAt\" : "))
            let table = try await carnet.run(["node", "registrations"], environment: environment)
            let lines = table.text.split(separator: "\n")
            #expect(lines.count == 811 && lines.filter { $0.hasPrefix("endorsement key") }.count == 1)
        }
    }

    @Test("A policy is activated, an API token made, both models run and are compared")
    func models() async throws {
        try await withScene { scene in
            let policy = try scene.folder.write(
                Array(GoodBoot.policy(for: GoodBoot.log(), id: "second").utf8), "policy.yaml")
            let active = try await carnet.run(["policy", "activate", policy], environment: scene.environment)
            #expect(active.status == 0 && active.text.contains("second"), "\(active)")
            let enrol = ["enrol", "--name", "node-17", "--event-log", scene.log] + scene.machine + scene.verifier
            #expect(try await agent.run(enrol).status == 0)
            let digest = try await agent.run(["info", "--json"] + scene.machine)
            #expect(digest.status == 0)
            #expect(try await carnet.run(["node", "approve", "node-17"], environment: scene.environment).status == 0)
            let token = scene.folder.path + "/vault.token"
            let made = try await carnet.run(
                [
                    "api-token", "create", "--role", "relying-party", "--name", VerifierUnderTest.audience, "--out",
                    token,
                ],
                environment: scene.environment)
            #expect(made.status == 0, "\(made)")
            #expect(try FileManager.default.attributesOfItem(atPath: token)[.posixPermissions] as? Int == 0o600)
            let requirements = try await carnet.run(
                ["background-check", "requirements", "--token-file", token], environment: scene.environment)
            let wanted = try scene.folder.write(requirements.output, "requirements.json")
            let evidence = scene.folder.path + "/evidence.json"
            let collected = try await agent.run(
                ["evidence", "--requirements", wanted, "--event-log", scene.log, "--out", evidence] + scene.machine)
            #expect(collected.status == 0, "\(collected)")
            let checked = try await carnet.run(
                ["background-check", "appraise", evidence, "--requirements", wanted, "--token-file", token, "--json"],
                environment: scene.environment)
            let root = try JSONDocument(parsing: checked.output, maximumByteCount: 1 << 20).root
            #expect(checked.status == 0 && root["status"]?.string == "affirming", "\(checked)")
            let compared = try await carnet.run(
                [
                    "compare", "--event-log", scene.log, "--jwks", scene.folder.path + "/jwks.json", "--issuer",
                    VerifierUnderTest.issuer, "--audience", VerifierUnderTest.audience, "--token-file", token,
                    "--requests", "3", "--json",
                ] + scene.machine, environment: scene.environment)
            #expect(compared.status == 0, "\(compared)")
            let rows = try JSONDocument(parsing: compared.output, maximumByteCount: 65_536).root.elements ?? []
            let work = rows.first { $0["question"]?.string == "work of the verifier" }
            #expect(work?["passport"]?.string == "1 appraisal and 1 signature")
            #expect(work?["backgroundCheck"]?.string == "3 appraisals and 3 signatures")
        }
    }

    @Test("A token that is too weak, unknown or missing ends with status 1; a verifier that is gone with status 3")
    func refusals() async throws {
        try await withScene { scene in
            var environment = scene.environment
            environment["CARNET_TOKEN_FILE"] = try scene.folder.writeSecret(
                Array("carnet_unknown".utf8), "unknown.token")
            let unknown = try await carnet.run(["node", "list"], environment: environment)
            #expect(unknown.status == 1 && !unknown.errors.isEmpty, "\(unknown)")
            // A file that is no token is not sent, and not printed.
            environment["CARNET_TOKEN_FILE"] = try scene.folder.writeSecret(
                Array("first line\nsecond line".utf8), "no.token")
            let noToken = try await carnet.run(["node", "list"], environment: environment)
            #expect(noToken.status == 2 && !noToken.errors.contains("second line"), "\(noToken)")
            let viewer = scene.folder.path + "/viewer.token"
            let made = try await carnet.run(
                ["api-token", "create", "--role", "viewer", "--name", "eve", "--out", viewer],
                environment: scene.environment)
            #expect(made.status == 0)
            environment["CARNET_TOKEN_FILE"] = viewer
            #expect(try await carnet.run(["node", "list"], environment: environment).status == 0)
            let weak = try await carnet.run(["node", "approve", "x"], environment: environment)
            #expect(weak.status == 1)
            let author = try await carnet.run(
                ["api-token", "create", "--role", "admin", "--name", "eve"], environment: environment)
            #expect(author.status == 1 && author.output.isEmpty && author.errors.contains("role"), "\(author)")
            environment["CARNET_VERIFIER"] = "http://127.0.0.1:1"
            let gone = try await carnet.run(["node", "list"], environment: environment)
            #expect(gone.status == 3 && gone.errors.contains("cannot be reached"))
        }
    }
}

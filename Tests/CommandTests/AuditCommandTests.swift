import CarnetTesting
import Fixtures
import Foundation
import HTTPTypes
import MeasurementLogs
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// `carnet audit` against a running verifier with a real TPM's evidence, and without one.
@Suite("carnet audit", .serialized, .timeLimit(.minutes(5)))
struct AuditCommandTests {
    private let carnet = Program("carnet"), agent = Program("carnet-agent")

    @Test(
        "A ledger is exported, gone on with, checked on line and off line, spoilt, pruned; a verdict is reached again")
    func audit() async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory(), log = GoodBoot.log()
        try tpm.measure(log)
        let office = try Office(trusting: tpm), logFile = try folder.write(log.bytes, "event-log.bin")
        let export = folder.path + "/ledger.jsonl", kept = folder.path + "/checkpoint.jwt"
        let keys = folder.path + "/jwks.json"
        try await office.verifier.run { client in
            let address = "http://127.0.0.1:\(client.port)"
            let environment = [
                "CARNET_VERIFIER": address, "CARNET_PLAIN_HTTP": "1",
                "CARNET_TOKEN_FILE": office.verifier.administratorFile,
            ]
            let machine =
                ["--tcti", tpm.tcti, "--state", folder.path + "/agent", "--event-log", logFile]
                + ["--verifier", address, "--plain-http"]
            func run(_ words: [String]) async throws -> Program.Ending {
                try await carnet.run(["audit"] + words, environment: environment)
            }
            _ = try folder.write(try await client.call(.get, "/.well-known/jwks.json").body, "jwks.json")
            #expect(try await agent.run(["enrol", "--name", "node-17"] + machine).status == 0)
            #expect(try await agent.run(["attest"] + machine).status == 0)
            let online = try await run(["verify", "--save-checkpoint", kept])
            #expect(online.status == 0 && online.text.contains("Nothing was changed"), "\(online)")
            #expect(try await run(["export", "--to", export]).status == 0)
            let first = try Data(contentsOf: URL(filePath: export)).count
            let again = try await run(["reappraise", "node-17", "--json"])
            #expect(again.status == 0 && again.text.contains("\"same\" : true"), "\(again)")
            #expect(try await agent.run(["attest"] + machine).status == 0)
            #expect(try await run(["export", "--to", export]).status == 0)
            #expect(try Data(contentsOf: URL(filePath: export)).count > first)
            let whole = try await run(["export"])
            #expect(whole.status == 0 && whole.text.split(separator: "\n").count > 5)
            let offline = try await carnet.run(
                ["audit", "verify", export, "--keys", keys, "--checkpoint", kept, "--json"])
            #expect(offline.status == 0 && offline.text.contains("\"sound\" : true"), "\(offline)")
            let pruned = try await run(["prune", "--before", "2026-01-01T00:00:00Z"])
            #expect(pruned.status == 0 && pruned.text.contains("Nothing was dropped"), "\(pruned)")
            let early = try await run(["prune", "--before", "2999-01-01T00:00:00Z"])
            #expect(early.status == 1 && early.errors.contains("day"), "\(early)")
            let unknown = try await run(["reappraise", "node-18"])
            #expect(unknown.status == 1)
        }
        let file = try Data(contentsOf: URL(filePath: export))
        var lines = file.split(separator: UInt8(ascii: "\n"))
        lines.remove(at: 1)
        let cut = try folder.write(Array(lines.joined(separator: [UInt8(ascii: "\n")])) + [10], "cut.jsonl")
        let broken = try await carnet.run(["audit", "verify", cut, "--keys", keys])
        #expect(broken.status == 1 && broken.text.contains("entry 1") && broken.text.contains("missing"), "\(broken)")
        let truncated = try folder.write(Array(file.dropLast(3)), "truncated.jsonl")
        #expect(try await carnet.run(["audit", "verify", truncated, "--keys", keys]).status == 1)
        let part = try folder.write(Array("{\"cut".utf8), "part.jsonl")
        let partial = try await carnet.run(["audit", "verify", part, "--keys", keys])
        #expect(partial.status == 2 && partial.errors.contains("no whole line"), "\(partial)")
        let tokens = try folder.write(Array("no such thing\n".utf8), "garbage")
        #expect(try await carnet.run(["audit", "verify", tokens, "--keys", keys]).status == 2)
        #expect(try await carnet.run(["audit", "verify", "/no/such/file", "--keys", keys]).status == 3)
    }
    @Test("An audit on line tells what the verifier remembers: its database was set back") func setBack() async throws {
        let verifier = try VerifierUnderTest(), other = try VerifierUnderTest()
        func audit(_ verifier: VerifierUnderTest, isSound: Bool) async throws {
            try await verifier.run { client in
                let audit = try await carnet.run(
                    ["audit", "verify", "--verifier", "http://127.0.0.1:\(client.port)", "--json"],
                    environment: ["CARNET_PLAIN_HTTP": "1", "CARNET_TOKEN_FILE": verifier.administratorFile])
                #expect(audit.status == (isSound ? 0 : 1) && audit.text.contains("\"rollback\"") != isSound, "\(audit)")
            }
        }
        try await audit(verifier, isSound: true)
        try await audit(other, isSound: true)
        let file = try TemporaryDirectory().path + ".jsonl"
        func export(_ verifier: VerifierUnderTest) async throws -> Program.Ending {
            try await verifier.run { client in
                try await carnet.run(
                    ["audit", "export", "--to", file, "--verifier", "http://127.0.0.1:\(client.port)"],
                    environment: ["CARNET_PLAIN_HTTP": "1", "CARNET_TOKEN_FILE": verifier.administratorFile])
            }
        }
        #expect(try await export(verifier).status == 0)
        let before = try Data(contentsOf: URL(filePath: file))
        let foreign = try await export(other)
        #expect(foreign.status == 1 && foreign.errors.contains("begin a new one"), "\(foreign)")
        #expect(try Data(contentsOf: URL(filePath: file)) == before)
        #expect(try await export(verifier).status == 0)
        // To a verifier that remembers another end its database looks as one that was set back.
        let memory = verifier.folder + "/ledger-checkpoint"
        try FileManager.default.removeItem(atPath: memory)
        try FileManager.default.copyItem(atPath: other.folder + "/ledger-checkpoint", toPath: memory)
        try await audit(verifier, isSound: false)
        let distrusted = try await export(verifier)
        #expect(distrusted.status == 0 && distrusted.errors.contains("last checkpoint"), "\(distrusted)")
        try FileManager.default.removeItem(atPath: memory)
        try await audit(verifier, isSound: true)
    }
}

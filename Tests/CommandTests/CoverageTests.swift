import CarnetEvidence
@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Whatever an operator or a relying party may ask of a verifier, `carnet` can ask; and whatever `carnet` asks is described.
@Suite("carnet covers the calls that need a credential", .serialized, .timeLimit(.minutes(5)))
struct CoverageTests {
    /// What words of a command stand for, once a verifier runs.
    private struct Scene: Sendable {
        let folder: TemporaryDirectory
        let environment: [String: String]
        var values: [String: String] = [:]

        func words(_ command: [String]) -> [String] {
            command.map { word in values.reduce(word) { $0.replacing("<\($1.key)>", with: $1.value) } }
        }
    }

    /// Commands in an order in which they succeed, and the operations of `openapi.yaml` that each of them is there for.
    static let commands: [(words: [String], operations: [String])] = [
        (["policy", "activate", "<policy-file>"], ["storePolicy", "activatePolicy"]),
        (["policy", "list"], ["listPolicies"]), (["policy", "show", "<policy-sha256>"], ["policyText"]),
        (["policy", "rehearse", "<policy-file>"], ["rehearsePolicy"]),
        (["policy", "template", "add", "<template-file>"], ["storePCRTemplate"]),
        (["policy", "template", "list"], ["listPCRTemplates"]),
        (["policy", "template", "remove", "firmware-1"], ["removePCRTemplate"]),
        (["node", "list"], ["listNodes"]), (["node", "show", "node-1"], ["node"]),
        (["node", "approve", "node-1"], ["approveNode"]), (["node", "label", "node-1", "role=worker"], ["labelNode"]),
        (["node", "findings", "node-1"], ["listAppraisals"]), (["node", "evidence", "node-1"], ["nodeEvidence"]),
        (["policy", "draft", "--from", "node-1", "--id", "second"], ["nodeEvidence"]),
        (["node", "register", "--ek-sha256", "<digest>"], ["registerEndorsementKey"]),
        (["node", "registrations"], ["listEndorsementKeys"]),
        (["node", "unregister", "--ek-sha256", "<digest>"], ["unregisterEndorsementKey"]),
        (["reference", "push", "<set-file>"], ["storeReferenceSet"]), (["reference", "list"], ["listReferenceSets"]),
        (["reference", "pull", "<set>"], ["getReferenceSet"]),
        (["reference", "remove", "<set>"], ["removeReferenceSet"]),
        (
            [
                "api-token", "create", "--role", "relying-party", "--name", "https://vault.example", "--out",
                "<token-file>",
            ], ["createAPIToken"]
        ),
        (["api-token", "list"], ["listAPITokens"]),
        (["background-check", "requirements", "--token-file", "<token-file>"], ["requirements"]),
        (
            [
                "background-check", "appraise", "<evidence>", "--requirements", "<requirements>", "--token-file",
                "<token-file>",
            ], ["appraise"]
        ),
        (
            ["webhook", "add", "pager", "--url", "https://127.0.0.1:9/", "--out", "<webhook-file>"], ["addWebhook"]
        ),
        (["webhook", "list"], ["listWebhooks"]), (["webhook", "show", "pager"], ["showWebhook"]),
        (["webhook", "test", "pager", "--wait", "2"], ["testWebhook"]),
        (["webhook", "deliveries", "pager"], ["listWebhookDeliveries"]),
        (["webhook", "rotate-secret", "pager", "--out", "<second-file>"], ["rotateWebhookSecret"]),
        (["webhook", "remove", "pager"], ["removeWebhook"]),
        (["audit", "reappraise", "node-1"], ["reappraise"]),
        (
            ["audit", "verify"],
            ["listLedgerChains", "listLedgerEntries", "listLedgerCheckpoints", "makeLedgerCheckpoint"]
        ),
        (["audit", "export"], ["listLedgerEntries", "listLedgerCheckpoints"]),
        (["audit", "prune", "--before", "2020-01-01T00:00:00Z"], ["pruneLedger"]),
        (["revoke", "node", "node-1", "--reason", "A test"], ["revoke"]),
        (["revoke", "before", "2020-01-01T00:00:00Z", "--reason", "A test"], ["revoke"]),
        (["revoke", "policy", "<policy-sha256>", "--reason", "A test"], ["revoke"]),
        (["revoke", "token", "no-such-passport", "--reason", "A test"], ["revoke"]),
        (["revoke", "list"], ["listRevocations"]), (["key", "list"], ["listSigningKeys"]),
        (["key", "revoke", "--reason", "A test", "--", "<kid>"], ["revokeSigningKey"]),
        (["key", "rotate", "--reason", "A test"], ["rotateSigningKeys"]),
        (["policy", "rollback", "test"], ["rollBackPolicy"]),
        (["policy", "deactivate", "test"], ["deactivatePolicy"]),
        (["api-token", "revoke", "<token-id>"], ["revokeAPIToken"]), (["node", "remove", "node-1"], ["removeNode"]),
    ]
    /// Commands that ask the verifier for what other commands are there for, and a TPM or a file for the rest.
    static let others: Set<[String]> = [["compare"], ["policy", "predict"]]
    /// What is rightly refused here: nobody takes a message at that address, the new next key is too young, no such passport lives, and evidence is for one nonce.
    static let refused: Set<[String]> = [
        ["webhook", "test"], ["key", "rotate"], ["revoke", "token"], ["background-check", "appraise"],
        ["policy", "rollback"],
    ]

    private static func guarded() throws -> [(call: String, id: String)] {
        try Description().operations.filter { $0.call.contains(" /admin/") || $0.call.contains(" /background-check/") }
    }

    /// The command that words begin with: as many as ``UsageTests`` knows.
    private static func command(_ words: [String]) -> [String] {
        let known = Set(UsageTests.commands.filter { $0[0] == "carnet" }.map { Array($0.dropFirst()) })
        return (1...words.count).map { Array(words.prefix($0)) }.last(where: known.contains) ?? []
    }

    @Test("Every operation has a command, and every command with a token has an operation") func table() async throws {
        let operations = Set(Self.commands.flatMap(\.operations))
        #expect(operations == Set(try Self.guarded().map(\.id)))
        let carnet = Program("carnet")
        var asking: Set<[String]> = []
        for command in UsageTests.commands where command[0] == "carnet" {
            let words = Array(command.dropFirst())
            let help = try await carnet.run(words + ["--help"]).text
            // What is asked of a broker is in a table of its own.
            if help.contains("--token-file"), !help.contains("SUBCOMMANDS:"), !["secret", "escrow"].contains(words[0]) {
                asking.insert(words)
            }
        }
        #expect(asking == Set(Self.commands.map { Self.command($0.words) }).union(Self.others))
    }

    @Test("Each command makes the calls that the table says") func calls() async throws {
        let carnet = Program("carnet"), folder = try TemporaryDirectory()
        let policy = try folder.write(Array(try SimulatedTPM.policy().utf8), "policy.yaml")
        let office = try VerifierUnderTest {
            $0.policyFile = policy
            $0.receivers = .loopback
        }
        let calls = Dictionary(uniqueKeysWithValues: try Self.guarded().map { ($0.id, $0.call) })
        try await office.run { client in
            let scene = try await makeScene(office, folder, client)
            for (words, operations) in Self.commands {
                let before = office.log.text.count, command = Self.command(words)
                let ending = try await carnet.run(scene.words(words), environment: scene.environment)
                #expect(ending.status == (Self.refused.contains(command) ? 1 : 0), "\(words) \(ending)")
                let made = Set(office.log.text.dropFirst(before).compactMap(Self.call))
                for operation in operations {
                    let call = try #require(calls[operation])
                    #expect(made.contains(call), "\(words) did not call \(call), but \(made)")
                }
            }
        }
    }

    /// The call that a line of the log is about.
    private static func call(_ line: String) -> String? {
        guard let root = try? JSONDocument(parsing: Array(line.utf8), maximumByteCount: 65_536).root,
            root["message"]?.string == "request", let method = root["method"]?.string,
            let route = root["route"]?.string
        else { return nil }
        return "\(method) \(route)"
    }

    private func makeScene(
        _ office: VerifierUnderTest, _ folder: TemporaryDirectory, _ client: ServiceClient
    ) async throws -> Scene {
        let admin = try office.administrator
        let tpm = try SimulatedTPM(), machine = SimulatedMachine(tpm, client)
        try await machine.enrol(administrator: admin)
        let session = try await machine.session()
        _ = try await machine.answer(session)
        // For another nonce than the requirements' one.
        let evidence = try tpm.evidence(nonce: [UInt8](repeating: 1, count: 32), session.selection).bytes
        let stored = try await client.call(.get, "/admin/v1/policies", token: admin).json["policies"]
        let keys = try await client.call(.get, "/admin/v1/signing-keys", token: admin).json["signing_keys"]?.elements
        let other = try await client.send(
            .post, "/admin/v1/api-tokens", token: admin, #"{"name":"other","role":"viewer"}"#)
        let set = Array(
            #"{"files":[{"digest":"sha256:\#(String(repeating: "ab", count: 32))","path":"/bin/sh"}],"name":"debian","version":1}"#
                .utf8)
        let pushed = try await client.call(
            .post, "/admin/v1/reference-sets", token: admin, type: "application/json", body: set)
        let template = "version: 1\nname: firmware-1\nbanks: {sha256: {0: \(String(repeating: "ab", count: 32))}}\n"
        var scene = Scene(
            folder: folder,
            environment: [
                "CARNET_VERIFIER": "http://127.0.0.1:\(client.port)", "CARNET_PLAIN_HTTP": "1",
                "CARNET_TOKEN_FILE": office.administratorFile,
            ])
        scene.values = [
            "policy-file": folder.path + "/policy.yaml",
            "policy-sha256": stored?.elements?.first?["sha256"]?.string ?? "",
            "template-file": try folder.write(Array(template.utf8), "template.yaml"),
            "digest": String(repeating: "cd", count: 32), "set-file": try folder.write(set, "set.json"),
            "webhook-file": folder.path + "/webhook.secret", "second-file": folder.path + "/second.secret",
            "set": try pushed.json["reference"]?.string ?? "", "token-file": folder.path + "/vault.token",
            "evidence": try folder.write(evidence, "evidence.json"),
            "requirements": try folder.write(
                Array(
                    #"{"nonce":"\#(String(repeating: "A", count: 43))","pcr_selection":[{"bank":"sha256","pcrs":[0]}],"event_log":"optional"}"#
                        .utf8),
                "requirements.json"),
            "token-id": try other.json["id"]?.string ?? "",
            "kid": keys?.first { $0["state"]?.string == "current" }?["kid"]?.string ?? "",
        ]
        return scene
    }
}

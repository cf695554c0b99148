import CarnetLedger
import CarnetStorage
import Fixtures
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// What is told, to a receiver that answers at once.
@Suite(.timeLimit(.minutes(5))) struct WebhookStoryTests {
    @Test("A machine's life is told: failed once, recovered once, withdrawn; and a policy's") func story() async throws
    {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            try await receiver.run { url in
                let admin = try verifier.administrator
                let machine = SimulatedMachine(try SimulatedTPM(), client)
                let node = try await machine.enrol(administrator: admin)
                let (_, secret) = try await verifier.subscribe(url, client)
                var secrets: [String] = [secret, admin]
                func attest() async throws {
                    let session = try await machine.session()
                    secrets += [Base64URL.encode(session.nonce), Hexadecimal.encode(session.nonce)]
                    if let passport = try await machine.answer(session).json["result"]?.string {
                        secrets.append(passport)
                    }
                }
                try await attest()
                machine.tpm.reboot(SimulatedTPM.badLog)
                try await attest()
                try await attest()
                machine.tpm.reboot()
                try await attest()
                try await attest()
                try await verifier.withdraw(client, #""node":"\#(node)""#)
                let policy = try SimulatedTPM.policy(id: "other")
                let stored = try await client.call(
                    .post, "/admin/v1/policies", token: admin, type: "application/yaml", body: Array(policy.utf8))
                let digest = try #require(try stored.json["sha256"]?.string)
                _ = try await client.call(.post, "/admin/v1/policies/\(digest)/activation", token: admin)
                let messages = try await receiver.wait(for: 4)
                try await Task.sleep(for: .milliseconds(200))
                #expect(receiver.messages.count == 4)
                let ofNode = messages.filter { $0.type != "policy.changed" }.compactMap(\.type)
                #expect(ofNode == ["node.failed", "node.recovered", "passports.revoked"])

                let data = try #require(try Self.data(messages, "node.failed"))
                #expect(data["node"]?["id"]?.string == node && data["node"]?["name"]?.string == "node-1")
                #expect(data["outcome"]?["before"]?.string == "affirming")
                #expect(data["outcome"]?["after"]?.string == "contraindicated")
                #expect(data["policy"]?["id"]?.string == "test" && data["policy"]?["sha256"]?.string?.count == 64)
                let findings = try #require(data["findings"]?.elements)
                #expect((1...WebhookMessage.maximumFindingCount).contains(findings.count))
                #expect(findings.contains { $0["pcr"]?.integer != nil && $0["rule"]?.string != nil })
                #expect(data["finding_count"]?.integer ?? 0 >= findings.count)
                let back = try #require(try Self.data(messages, "node.recovered"))
                #expect(back["outcome"]?["before"]?.string == "contraindicated")
                #expect(back["outcome"]?["after"]?.string == "affirming")
                let revoked = try #require(try Self.data(messages, "passports.revoked"))
                #expect(revoked["node"]?["name"]?.string == "node-1" && revoked["reason"]?.string == "a test")
                let changed = try #require(try Self.data(messages, "policy.changed"))
                #expect(changed["policy"]?["id"]?.string == "other" && changed["policy"]?["sha256"]?.string == digest)
                #expect(changed["change"]?.string == "policy.activate")

                // Each names the entry of the ledger that tells of it.
                let ledger = Ledger(try await verifier.database.open())
                for (data, kind) in [
                    (data, "appraisal"), (back, "appraisal"), (revoked, "revocation"), (changed, "operation"),
                ] {
                    let place = LedgerPlace(
                        chain: data["ledger"]?["chain"]?.string ?? "", number: data["ledger"]?["number"]?.integer ?? -1)
                    #expect(try await ledger.entry(place)?.0.kind == kind)
                }
                for message in messages {
                    let text = String(decoding: message.body, as: UTF8.self)
                    for secret in secrets { #expect(!text.contains(secret)) }
                    #expect(message.body.count < 20_000 && message.id.hasPrefix("msg_") && !message.id.contains("."))
                    #expect(abs((Int64(message.timestamp) ?? 0) - verifier.clock.now) < 30)
                }
                #expect(Set(messages.map(\.id)).count == 4)
                #expect(try await ledger.faults().isEmpty)
            }
        }
    }

    private static func data(_ messages: [ScriptedReceiver.Message], _ type: String) throws -> JSONNode? {
        try messages.first { $0.type == type }.map {
            try JSONDocument(parsing: $0.body, maximumByteCount: 1 << 20).root
        }?[
            "data"]
    }

    @Test("A failure is not told again after a restart, and recovery is") func restart() async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver(), tpm = try SimulatedTPM()
        try await receiver.run { url in
            try await verifier.run { client in
                let machine = SimulatedMachine(tpm, client)
                try await machine.enrol(administrator: verifier.administrator)
                _ = try await verifier.subscribe(url, client)
                tpm.reboot(SimulatedTPM.badLog)
                _ = try await machine.answer(machine.session())
                try await receiver.wait(for: 1)
            }
            try await verifier.run { client in
                let machine = SimulatedMachine(tpm, client)
                _ = try await machine.answer(machine.session())
                tpm.reboot()
                _ = try await machine.answer(machine.session())
                try await receiver.wait(for: 2)
                try await Task.sleep(for: .milliseconds(200))
                #expect(receiver.messages.map(\.type) == ["node.failed", "node.recovered"])
            }
        }
    }

    @Test("What anybody can send in a machine's name is not told") func forged() async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            try await receiver.run { url in
                let machine = SimulatedMachine(try SimulatedTPM(), client)
                try await machine.enrol(administrator: verifier.administrator)
                let (id, _) = try await verifier.subscribe(url, client)
                _ = try await machine.answer(machine.session())
                _ = try await machine.answer(machine.session()) { $0.nonce[0] ^= 1 }
                _ = try await machine.send([0x7B], to: machine.session())
                #expect(try await verifier.deliveries(id, client).isEmpty)
            }
        }
    }

    @Test("A subscription is told of its kinds and its machines alone") func selection() async throws {
        let verifier = try verifierWithWebhooks(), prod = ScriptedReceiver(), kinds = ScriptedReceiver()
        try await verifier.run { client in
            try await prod.run { prodURL in
                try await kinds.run { kindsURL in
                    let admin = try verifier.administrator
                    _ = try await verifier.subscribe(prodURL, client, named: "prod", with: #","labels":{"env":"prod"}"#)
                    _ = try await verifier.subscribe(
                        kindsURL, client, named: "kinds", with: #","events":["node.recovered"]"#)
                    for (name, label) in [("a", "prod"), ("b", "test")] {
                        let machine = SimulatedMachine(try SimulatedTPM(), named: name, client)
                        let id = try await machine.enrol(administrator: admin)
                        _ = try await client.send(
                            .put, "/admin/v1/nodes/\(id)/labels", token: admin, #"{"env":"\#(label)"}"#)
                        machine.tpm.reboot(SimulatedTPM.badLog)
                        _ = try await machine.answer(machine.session())
                        machine.tpm.reboot()
                        _ = try await machine.answer(machine.session())
                    }
                    // What is about no machine is told to whoever wants its kind.
                    try await verifier.withdraw(client)
                    try await prod.wait(for: 3)
                    try await kinds.wait(for: 2)
                    try await Task.sleep(for: .milliseconds(200))
                    #expect(
                        prod.messages.filter { $0.type != "passports.revoked" }.map(\.type) == [
                            "node.failed", "node.recovered",
                        ])
                    #expect(
                        prod.messages.count == 3 && kinds.messages.map(\.type) == ["node.recovered", "node.recovered"])
                    #expect(
                        !prod.messages.contains { String(decoding: $0.body, as: UTF8.self).contains(#""name":"b""#) })
                }
            }
        }
    }
}

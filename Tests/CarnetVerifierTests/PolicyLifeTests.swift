import CarnetAppraisal
import CarnetRelyingParty
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

/// The life of a policy: drafted from a machine, rehearsed on the fleet, activated, rolled back, chosen by labels.
@Suite("The life of a policy", .timeLimit(.minutes(5)))
struct PolicyLifeTests {
    private func post(
        _ client: ServiceClient, _ verifier: VerifierUnderTest, _ path: String, _ text: String,
        type: String = "application/yaml"
    ) async throws -> ServiceClient.Answer {
        try await client.call(
            .post, "/admin/v1/policies" + path, token: verifier.administrator, type: type, body: Array(text.utf8))
    }

    private func activate(
        _ text: String, _ client: ServiceClient, _ verifier: VerifierUnderTest
    ) async throws {
        let stored = try await post(client, verifier, "", text)
        let digest = try #require(try stored.json["sha256"]?.string)
        let answer = try await client.call(
            .post, "/admin/v1/policies/\(digest)/activation", token: verifier.administrator)
        #expect(answer.status == 200)
    }

    private func status(_ machine: SimulatedMachine) async throws -> String? {
        let query = "?ak=" + Base64URL.encode(machine.tpm.attestationArea.name.bytes)
        let answer = try await machine.answer(machine.session(query)).json
        guard let token = answer["result"]?.string else { return answer["status"]?.string }
        let payload = token.split(separator: ".")[1]
        let claims = try JSONDocument(parsing: Base64URL.decode(payload) ?? [], maximumByteCount: 65_536).root
        return claims["ear_status"]?.string
    }

    private static func components(_ id: String, _ log: EventLogBuilder) throws -> String {
        let replay = try #require(ReplayedEventLog(try EventLog(parsing: log.bytes), bank: .sha256))
        return PolicyText.draft(replay, id: id, style: .components, pcrs: Array(0..<8))
    }

    @Test("A drafted policy affirms the machine that it was drafted from, and names what another boots")
    func draft() async throws {
        for style in PolicyText.Style.allCases {
            let replay = try #require(
                ReplayedEventLog(try EventLog(parsing: SimulatedTPM.goodLog.bytes), bank: .sha256))
            let policy = try Policy(parsing: Array(PolicyText.draft(replay, id: "draft", style: style).utf8))
            #expect(policy.id == "draft" && (style == .components) == !policy.components.isEmpty)
        }
    }

    @Test("A rehearsal says who would be locked out, and changes nothing")
    func rehearsal() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let silent = SimulatedMachine(try SimulatedTPM(), named: "silent", client)
            try await silent.enrol(administrator: verifier.administrator)
            let first = try await status(machine)
            #expect(first == "affirming")
            let good = try Self.components("next", SimulatedTPM.goodLog)
            let fine = try await post(client, verifier, "/rehearsal", good).json
            #expect(fine["nodes"]?.elements?.map { $0["then"]?.string } == ["affirming"])
            #expect(fine["without_evidence"]?.elements?.map(\.string) == ["silent"])
            let template = try SimulatedTPM.policy(id: "next").replacing("4: ", with: "4: ab").replacing(
                "4: ab", with: "4: " + String(repeating: "ab", count: 32) + " #")
            let bad = try await post(client, verifier, "/rehearsal", template).json
            let node = try #require(bad["nodes"]?.elements?.first)
            #expect(node["now"]?.string == "affirming" && node["then"]?.string == "contraindicated")
            #expect(node["findings"]?.elements?.first?["rule"]?.string == "pcr-value")
            let wider = try await post(
                client, verifier, "/rehearsal", SimulatedTPM.policy(id: "next") + "    9: ignore\n"
            ).json
            #expect(wider["nodes"]?.elements?.first?["then"]?.string == "failed")
            let refused = try await post(client, verifier, "/rehearsal", "version: 7")
            #expect(refused.status == 400)
            let after = try await status(machine)
            #expect(after == "affirming", "a rehearsal activates nothing")
        }
    }

    @Test("An update: contraindicated with the component named, then a new version, then affirming; and back")
    func update() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            try await activate(Self.components("rack", SimulatedTPM.goodLog), client, verifier)
            let before = try await status(machine)
            #expect(before == "affirming")
            machine.tpm.reboot(SimulatedTPM.badLog)
            let changed = try await status(machine)
            #expect(changed == "contraindicated")
            let list = try await client.call(.get, "/admin/v1/appraisals?limit=1", token: verifier.administrator).json
            let finding = list["appraisals"]?.elements?.first?["findings"]?.elements?.first
            #expect(finding?["rule"]?.string == "component-unknown")
            #expect(finding?["description"]?.string?.contains("implant.efi") == true)
            try await activate(Self.components("rack", SimulatedTPM.badLog), client, verifier)
            let updated = try await status(machine)
            #expect(updated == "affirming")
            let back = try await post(client, verifier, "/rollback", #"{"id":"rack"}"#, type: "application/json")
            #expect(back.status == 200)
            let rolledBack = try await status(machine)
            #expect(rolledBack == "contraindicated")
            let none = try await post(client, verifier, "/rollback", #"{"id":"other"}"#, type: "application/json")
            #expect(none.status == 404)
            let out = try await post(client, verifier, "/deactivation", #"{"id":"rack"}"#, type: "application/json")
            #expect(out.status == 204)
            let again = try await post(client, verifier, "/deactivation", #"{"id":"rack"}"#, type: "application/json")
            #expect(again.status == 404)
            // The first policy, of the command line, selects it again.
            let first = try await status(machine)
            #expect(first == "contraindicated")
        }
    }

    @Test("Passports state the labels that the policy discloses, as they were when they were issued, and no others")
    func disclosure() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let id = try await machine.enrol(administrator: verifier.administrator)
            func label(_ labels: [String: String]) async throws {
                let body = JSONWriter.object { writer in
                    for (name, value) in labels { writer.string(named: name, value) }
                }
                let answer = try await client.call(
                    .put, "/admin/v1/nodes/\(id)/labels", token: verifier.administrator, type: "application/json",
                    body: body)
                #expect(answer.status == 200)
            }
            /// A passport, and the labels that a relying party reads in it.
            func passport() async throws -> (token: [UInt8], labels: [String: String]?) {
                let answer = try await machine.answer(machine.session()).json
                let token = Array(try #require(answer["result"]?.string).utf8)
                return (token, try await labels(token, client, verifier))
            }
            try await label(["role": "worker", "site": "fra", "owner": "secret"])
            let silent = try await passport()
            #expect(silent.labels == [:])
            #expect(!CompactText.payload(silent.token).contains("node_labels"))
            let text = try SimulatedTPM.policy(id: "telling") + "discloses: [role, site, rack]\n"
            try await activate(text, client, verifier)
            let first = try await passport()
            #expect(first.labels == ["role": "worker", "site": "fra"])
            #expect(!CompactText.payload(first.token).contains("owner"))
            try await label(["role": "builder"])
            let kept = try await labels(first.token, client, verifier)
            #expect(kept == ["role": "worker", "site": "fra"], "what was issued stays")
            let second = try await passport()
            #expect(second.labels == ["role": "builder"])
            // As much as can be disclosed still makes a passport of at most 4 KiB.
            let names = (0..<8).map { "\($0)" + String(repeating: "n", count: 62) }
            try await label(Dictionary(uniqueKeysWithValues: names.map { ($0, String(repeating: "v", count: 63)) }))
            let many = try SimulatedTPM.policy(id: "telling") + "discloses: [\(names.joined(separator: ", "))]\n"
            try await activate(many, client, verifier)
            let long = try await passport()
            #expect(long.labels?.count == 8 && long.token.count <= 4096, "\(long.token.count) bytes")
        }
    }

    private func labels(
        _ token: [UInt8], _ client: ServiceClient, _ verifier: VerifierUnderTest
    ) async throws -> [String: String]? {
        let keys = try await client.call(.get, "/.well-known/jwks.json").body
        let expectations = Expectations(issuer: VerifierUnderTest.issuer, audience: VerifierUnderTest.audience)
        return try await PassportVerifier(keySet: keys, expectations: expectations)
            .checking(client.statusLists()).verify(token, at: verifier.clock.now).submodules["tpm"]?.nodeLabels
    }

    @Test("A machine is appraised by the policy that names most of its labels")
    func labels() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let id = try await machine.enrol(administrator: verifier.administrator)
            machine.tpm.reboot(SimulatedTPM.badLog)
            let text = try Self.components("canary", SimulatedTPM.badLog)
            try await activate(text + "nodes: {labels: {ring: canary}}\n", client, verifier)
            let unlabelled = try await status(machine)
            #expect(unlabelled == "contraindicated")
            let label = try await client.call(
                .put, "/admin/v1/nodes/\(id)/labels", token: verifier.administrator, type: "application/json",
                body: Array(#"{"ring":"canary","site":"fra"}"#.utf8))
            #expect(try label.json["labels"]?["ring"]?.string == "canary")
            let labelled = try await status(machine)
            #expect(labelled == "affirming")
            for body in [#"{"ring":7}"#, #"{"a b":"c"}"#, #"{"a":""}"#, "[]", "{"] {
                let answer = try await client.call(
                    .put, "/admin/v1/nodes/\(id)/labels", token: verifier.administrator, type: "application/json",
                    body: Array(body.utf8))
                #expect(answer.status == 400, "\(body)")
            }
            let kept = try await client.call(
                .get, "/admin/v1/nodes/\(id)/evidence", token: verifier.administrator
            ).json
            #expect(kept["evidence"]?["quote"] != nil && kept["evidence"]?["key_attestation"] == nil)
        }
    }

    @Test(
        "A machine that failed passes as soon as a template for it arrives, and fails when that is removed or retired")
    func templates() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let good = try SimulatedTPM.policy(id: "edge")
            try await activate(good + "templates: accepted\n", client, verifier)
            machine.tpm.reboot(SimulatedTPM.badLog)
            let before = try await status(machine)
            #expect(before == "contraindicated")
            let value = try #require(ForgedMachine(booting: SimulatedTPM.badLog).registers[.sha256]?[4])
            let text = "version: 1\nname: fw-2\nbanks: {sha256: {4: \(Hexadecimal.encode(value))}}\n"
            func upload(_ text: String) async throws -> Int {
                try await client.call(
                    .post, "/admin/v1/pcr-templates", token: verifier.administrator, type: "application/yaml",
                    body: Array(text.utf8)
                ).status
            }
            let stored = try await upload(text)
            #expect(stored == 201)
            let after = try await status(machine)
            #expect(after == "affirming")
            // A policy that accepts none does not care.
            try await activate(good, client, verifier)
            let strict = try await status(machine)
            #expect(strict == "contraindicated")
            try await activate(good + "templates: accepted\n", client, verifier)
            // A template counts as a whole: one other value in it, and it is not held.
            let other = String(repeating: "ab", count: 32)
            _ = try await upload(text.replacing("{4:", with: "{0: \(other), 4:"))
            let partial = try await status(machine)
            #expect(partial == "contraindicated")
            _ = try await upload(text + "until: 2020-01-01\n")
            let retired = try await status(machine)
            #expect(retired == "contraindicated")
            for bad in [
                "version: 2", text + "x: 1\n", text.replacing("fw-2", with: "FW 2"),
                text.replacing("{4:", with: "{20:"),
            ] {
                let answer = try await upload(bad)
                #expect(answer == 400, "\(bad)")
            }
            _ = try await upload(text)
            let removed = try await client.call(
                .delete, "/admin/v1/pcr-templates/fw-2", token: verifier.administrator
            ).status
            #expect(removed == 204)
            let gone = try await status(machine)
            #expect(gone == "contraindicated")
        }
    }

    @Test("A policy that names a set counts when the set is there; a set that is named by an active policy stays")
    func references() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let boot = MeasuredBoot(
                try #require(ReplayedEventLog(EventLog(parsing: SimulatedTPM.goodLog.bytes), bank: .sha256)))
            let set = try ReferenceSet(
                name: "loaders",
                components: boot.objects.filter { $0.pcr == 4 }.enumerated().map { index, object in
                    let digest = try #require(ReferenceDigest(.sha256, object.digest))
                    return try #require(ReferenceComponent(.application, digest, name: "loader \(index)"))
                })
            let name = try ReferenceSetName(set)
            let text = """
                version: 1
                id: by-sets
                references: ["\(name)"]
                banks: {sha256: {0: ignore, 4: ignore, 7: ignore}}
                components: {application: {}}
                """
            let stored = try await post(client, verifier, "", text)
            let digest = try #require(try stored.json["sha256"]?.string)
            func activate() async throws -> ServiceClient.Answer {
                try await client.call(
                    .post, "/admin/v1/policies/\(digest)/activation", token: verifier.administrator)
            }
            let early = try await activate()
            #expect(try early.status == 409 && early.json["type"]?.string?.hasSuffix("reference-set-missing") == true)
            let rehearsed = try await post(client, verifier, "/rehearsal", text)
            #expect(rehearsed.status == 409)
            func push(_ body: [UInt8]) async throws -> ServiceClient.Answer {
                try await client.call(
                    .post, "/admin/v1/reference-sets", token: verifier.administrator, type: "application/json",
                    body: body)
            }
            // White space does not change which set it is.
            let pushed = try await push(set.bytes() + [0x0A])
            #expect(try pushed.status == 201 && pushed.json["reference"]?.string == name.description)
            let again = try await push(set.bytes())
            #expect(again.status == 201)
            for bad in ["{}", "[]", "{\"version\":1,\"name\":\"A\"}"] {
                let answer = try await push(Array(bad.utf8))
                #expect(answer.status == 400, "\(bad)")
            }
            let active = try await activate()
            #expect(active.status == 200)
            let after = try await status(machine)
            #expect(after == "affirming")
            machine.tpm.reboot(SimulatedTPM.badLog)
            let changed = try await status(machine)
            #expect(changed == "contraindicated")
            let path = "/admin/v1/reference-sets/" + Hexadecimal.encode(name.digest)
            let got = try await client.call(.get, path, token: verifier.administrator)
            #expect(try got.status == 200 && got.body == set.bytes())
            let list = try await client.call(.get, "/admin/v1/reference-sets", token: verifier.administrator).json
            #expect(list["reference_sets"]?.elements?.map { $0["reference"]?.string } == [name.description])
            #expect(list["reference_sets"]?.elements?.first?["components"]?.integer == Int64(set.components.count))
            let inUse = try await client.call(.delete, path, token: verifier.administrator)
            #expect(inUse.status == 409)
            _ = try await post(client, verifier, "/deactivation", #"{"id":"by-sets"}"#, type: "application/json")
            let removed = try await client.call(.delete, path, token: verifier.administrator)
            #expect(removed.status == 204)
            let gone = try await client.call(.delete, path, token: verifier.administrator)
            #expect(gone.status == 404)
        }
    }

    @Test(
        "What is odd about a log is told to the machine and kept in the ledger, in the same words, with a good verdict")
    func remarks() async throws {
        let verifier = try verifierWithPolicy()
        try await verifier.run { client in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let log = GoodBoot.log { $0.addVariable(pcr: 1, .efiVariableBoot, name: "Boot0001", value: [5]) }
            try await activate(GoodBoot.policy(for: log, id: "odd"), client, verifier)
            machine.tpm.reboot(log)
            let query = "?ak=" + Base64URL.encode(machine.tpm.attestationArea.name.bytes)
            let answer = try await machine.answer(machine.session(query)).json
            let told = try #require(answer["findings"]?.elements?.first)
            #expect(answer["result"] != nil && answer["findings"]?.elements?.count == 1)
            #expect(told["family"]?.string == "remark" && told["rule"]?.string == "whole-boot-variable")
            let ledger = try await client.call(.get, "/admin/v1/appraisals?limit=1", token: verifier.administrator)
            let kept = try #require(try ledger.json["appraisals"]?.elements?.first)
            #expect(kept["outcome"]?.string == "affirming")
            #expect(kept["findings"]?.elements?.first?["description"]?.string == told["description"]?.string)
            #expect(told["description"]?.string?.contains("PCR 1, event ") == true)
        }
    }
}

/// The text in a token.
private enum CompactText {
    static func payload(_ token: [UInt8]) -> String {
        let parts = token.split(separator: UInt8(ascii: "."))
        return String(decoding: parts.count == 3 ? Base64URL.decode(parts[1]) ?? [] : [], as: UTF8.self)
    }
}

import Fixtures
import TPM2
import CarnetService
@testable import CarnetRecords
import CarnetVerifier
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Storing and activating policies, over HTTP and on the command line.
@Suite struct PolicyTests {
    @Test("A policy is stored, activated, and followed from then on") func activation() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let author = try await verifier.token(.policyAuthor, named: "author", client)
            let text = try SimulatedTPM.policy(id: "first", pcrs: [0, 4])
            let stored = try await client.send(
                .post, "/admin/v1/policies", token: author, type: "application/yaml", text)
            #expect(stored.status == 201)
            let digest = try #require(try stored.json["sha256"]?.string)
            #expect(try stored.json["active"]?.boolean == false && stored.json["id"]?.string == "first")
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            let before = try await machine.session()
            #expect(before.selection.pcrCount == 8)
            let path = "/admin/v1/policies/\(digest)"
            let activated = try await client.call(.post, path + "/activation", token: author)
            #expect(activated.status == 200)
            #expect(try activated.json["active"]?.boolean == true)
            let outdated = try await machine.answer(before)
            #expect(try outdated.json["findings"]?.elements?.first?["rule"]?.string == "pcr-selection")
            let session = try await machine.session()
            #expect(session.selection.pcrCount == 2)
            #expect(try await machine.answer(session).json["status"]?.string == "complete")
            let read = try await client.call(.get, path, token: author)
            #expect(read.text == text && read.header("content-type") == "application/yaml")
            let list = try await client.call(.get, "/admin/v1/policies", token: author).json
            #expect(list["policies"]?.elements?.first?["active"]?.boolean == true)
        }
    }

    @Test(
        "A text that is no policy is refused with the member at fault",
        arguments: [
            ("", nil), ("[]", nil), ("version: 2\n", "version"), ("version: 1\nid: x\nbanks: {}\n", "banks"),
            ("version: 1\nid: x\nextra: 1\nbanks:\n  sha256:\n    0: ignore\n", nil),
        ] as [(String, String?)])
    func malformed(_ text: String, _ member: String?) async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let answer = try await client.send(
                .post, "/admin/v1/policies", token: verifier.administrator, type: "application/yaml", text)
            #expect(answer.status == 400 && answer.problem == "malformed-request")
            if let member { #expect(answer.member == member) }
        }
    }

    @Test("A policy that does not exist cannot be read or activated") func unknown() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            for digest in [String(repeating: "0", count: 64), "x", "00"] {
                let path = "/admin/v1/policies/\(digest)"
                let read = try await client.call(.get, path, token: verifier.administrator)
                #expect(read.status == 404)
                #expect(try await client.call(.post, path + "/activation", token: verifier.administrator).status == 404)
            }
        }
    }

    @Test(
        "A policy file that is missing, empty or wrong stops the verifier from starting",
        arguments: [nil, "", "version: 1\n"])
    func file(_ text: String?) async throws {
        let path = TemporaryFolder.path("policy")
        try text?.write(toFile: path, atomically: true, encoding: .utf8)
        let verifier = try VerifierUnderTest { $0.policyFile = path }
        await #expect(throws: VerifierConfigurationError.self) { try await verifier.run { _ in } }
    }

    @Test("Trust anchors that are missing, empty or no certificates stop the verifier from starting") func anchors()
        async throws
    {
        let folder = TemporaryFolder.path("anchors")
        let verifier = try VerifierUnderTest { $0.trustAnchors = folder }
        await #expect(throws: VerifierConfigurationError.self) { try await verifier.run { _ in } }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        await #expect(throws: VerifierConfigurationError.self) { try await verifier.run { _ in } }
        try "no certificate".write(toFile: folder + "/README", atomically: true, encoding: .utf8)
        await #expect(throws: VerifierConfigurationError.self) { try await verifier.run { _ in } }
        try "no certificate".write(toFile: folder + "/root.pem", atomically: true, encoding: .utf8)
        await #expect(throws: VerifierConfigurationError.self) { try await verifier.run { _ in } }
    }

    @Test("A restart with the same file does not undo what was activated since; another file is activated")
    func restart() async throws {
        let path = TemporaryFolder.path("policy"), text = try SimulatedTPM.policy()
        func write(_ description: String) throws {
            try (text + "description: \(description)\n").write(toFile: path, atomically: true, encoding: .utf8)
        }
        try write("first")
        let verifier = try VerifierUnderTest { $0.policyFile = path }
        @Sendable func active(_ client: ServiceClient) async throws -> String? {
            let token = try verifier.administrator
            let list = try await client.call(.get, "/admin/v1/policies", token: token).json
            let digest = list["policies"]?.elements?.first { $0["active"]?.boolean == true }?["sha256"]?.string
            let policy = try await client.call(.get, "/admin/v1/policies/\(digest ?? "")", token: token).text
            return policy.split(separator: "\n").first { $0.hasPrefix("description: ") }.map {
                String($0.dropFirst(13))
            }
        }
        try await verifier.run { client in
            let first = try await active(client)
            #expect(first == "first")
            let token = try verifier.administrator
            let stored = try await client.call(
                .post, "/admin/v1/policies", token: token, type: "application/yaml",
                body: Array((text + "description: second\n").utf8))
            let digest = try stored.json["sha256"]?.string ?? ""
            _ = try await client.call(.post, "/admin/v1/policies/\(digest)/activation", token: token)
            let second = try await active(client)
            #expect(second == "second")
        }
        let kept = try await verifier.run { client in try await active(client) }
        #expect(kept == "second")
        try write("third")
        let changed = try await verifier.run { client in try await active(client) }
        #expect(changed == "third")
    }
}

import CarnetAppraisal
import CarnetService
@testable import CarnetRecords
import CarnetVerifier
import Foundation
import HTTPTypes
import ServiceHarness
import TPM2
import Testing
import VerifierHarness

/// How many PCR templates a verifier keeps.
@Suite("Bounds of PCR templates", .timeLimit(.minutes(5)))
struct TemplateBoundTests {
    private static func text(_ name: String, _ byte: String = "ab") -> [UInt8] {
        Array("version: 1\nname: \(name)\nbanks: {sha256: {4: \(String(repeating: byte, count: 32))}}\n".utf8)
    }

    @Test("256 are stored, one more is refused, and one of them may still be replaced or removed for another")
    func count() async throws {
        let templates = PCRTemplateStore(try await testDatabase())
        func store(_ name: String, _ byte: String = "ab") async throws {
            try await templates.store(PCRTemplate(parsing: Self.text(name, byte)), by: "tester", now: 1)
        }
        for number in 0..<256 { try await store("fw-\(number)") }
        let refused = await #expect(throws: Problem.self) { try await store("fw-256") }
        #expect(refused?.status == .conflict && refused?.detail.contains("256 PCR templates") == true)
        try await store("fw-7", "cd")
        let list = try await templates.list()
        #expect(list.count == 256)
        #expect(list.first { $0.template.name == "fw-7" }?.template.banks[.sha256]?[4]?.first == 0xCD)
        let removed = try await templates.remove("fw-7", by: "x", now: 1)
        #expect(removed)
        try await store("fw-256")
        let last = try await templates.list().count
        #expect(last == 256)
    }

    @Test("A template of more than 65,536 bytes is not read")
    func size() throws {
        let text = Self.text("big"), room = PCRTemplate.maximumByteCount - text.count - 2
        let comment = Array("# ".utf8) + [UInt8](repeating: 0x61, count: room)
        #expect(throws: Never.self) { try PCRTemplate(parsing: text + comment) }
        let refused = #expect(throws: PolicyError.self) { try PCRTemplate(parsing: text + comment + [0x61]) }
        #expect(refused?.reason.contains("65536") == true)
    }

    @Test(
        "Whoever uploads one too many is told how many there may be and what to do")
    func answer() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            func upload(_ name: String) async throws -> ServiceClient.Answer {
                try await client.call(
                    .post, "/admin/v1/pcr-templates", token: verifier.administrator, type: "application/yaml",
                    body: Self.text(name))
            }
            for number in 0..<256 {
                let stored = try await upload("fw-\(number)").status
                try #require(stored == 201)
            }
            let refused = try await upload("fw-256")
            #expect(refused.status == 409 && refused.problem != nil)
            #expect(refused.text.contains("256") && refused.text.contains("remove"), "\(refused.text)")
        }
    }
}

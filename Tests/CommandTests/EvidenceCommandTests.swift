import CarnetEvidence
import CarnetTesting
import Fixtures
import Foundation
import MeasurementLogs
import StrictEncoding
import TPM2
import Testing

/// What an operator does with evidence and policies on a command line.
@Suite("carnet inspect quote, event-log; policy check; trust import", .timeLimit(.minutes(5)))
struct EvidenceCommandTests {
    private let carnet = Program("carnet"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    @Test("A quote is shown, and its signature checked when key and signature are given")
    func quote() async throws {
        let machine = try ForgedMachine(), evidence = try machine.evidence(machine.challenge())
        let quote = try folder.write(evidence.quote.attest, "quote.msg")
        let plain = try await carnet.run(["inspect", "quote", quote])
        #expect(plain.status == 0 && plain.text.contains("0, 1, 4, 7") && plain.text.contains("reset 7"), "\(plain)")
        let keys = [
            "--signature", try folder.write(evidence.quote.signature, "quote.sig"), "--public",
            try folder.write(machine.area.bytes, "ak.tpmt"),
        ]
        let json = try await carnet.run(["inspect", "quote", quote, "--json"] + keys)
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
        #expect(json.status == 0 && root["signatureIsValid"]?.boolean == true && root["type"]?.string == "quote")
        let other = try folder.write(ForgedMachine().area.bytes, "other.tpmt")
        let foreign = try await carnet.run(["inspect", "quote", quote, keys[0], keys[1], "--public", other])
        #expect(foreign.status == 1 && foreign.text.contains("NOT by the given key"))
        #expect(try await carnet.run(["inspect", "quote", quote, keys[0], keys[1]]).status == 2)
    }

    @Test("An event log is shown with the PCR values that it explains")
    func eventLog() async throws {
        let log = GoodBoot.log(), file = try folder.write(log.bytes, "log.bin")
        let machine = try ForgedMachine(booting: log), four = try #require(machine.registers[.sha256]?[4]).hex
        let plain = try await carnet.run(["inspect", "event-log", file])
        #expect(plain.status == 0 && plain.text.contains(four) && plain.text.contains("shimx64.efi"))
        let json = try await carnet.run(["inspect", "event-log", file, "--json"])
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 1 << 20).root
        #expect(root["pcrs"]?["4"]?.string == four && root["secureBoot"]?.string == "enabled")
        #expect(root["boot"]?["objects"]?.elements?.contains { $0["untrustedRole"]?.string == "application" } == true)
        #expect(root["boot"]?["secureBoot"]?.string == "enabled" && plain.text.contains("What was booted"))
        let bank = try await carnet.run(["inspect", "event-log", file, "--bank", "sha384"])
        #expect(bank.status == 2 && bank.errors.contains("sha256"))
    }

    @Test("A policy is read strictly, and what may be a mistake is told")
    func policy() async throws {
        let text = try GoodBoot.policy(for: GoodBoot.log()), good = try folder.write(Array(text.utf8), "good.yaml")
        let plain = try await carnet.run(["policy", "check", good])
        #expect(plain.status == 0 && plain.text.contains("demo-node") && plain.text.contains("required"))
        let json = try await carnet.run(["policy", "check", good, "--json"])
        let root = try JSONDocument(parsing: json.output, maximumByteCount: 65_536).root
        #expect(root["pinned"]?["sha256"]?.elements?.count == 10 && root["eventLogRequired"]?.boolean == true)
        let bad = try folder.write(Array((text + "colour: red\n").utf8), "bad.yaml")
        let refused = try await carnet.run(["policy", "check", bad])
        #expect(refused.status == 2 && refused.errors.contains("colour"))
    }

    @Test("An authority that the manifest does not know is installed only when it is named")
    func trust() async throws {
        let tpm = try SoftwareTPM.copy(), anchor = try #require(tpm.authorityFiles.last)
        let manifest = try folder.write(Array(#"{"version":1,"anchors":[]}"#.utf8), "manifest.json")
        let command = ["trust", "import", anchor, "--manifest", manifest, "--into", folder.path + "/anchors"]
        let refused = try await carnet.run(command)
        #expect(
            refused.status == 1 && refused.text.contains("refused") && refused.text.contains("--allow"), "\(refused)")
        let digest = try #require(refused.text.split(separator: " ").last { $0.count >= 64 }).prefix(64)
        let allowed = try await carnet.run(command + ["--allow", String(digest), "--json"])
        let root = try JSONDocument(parsing: allowed.output, maximumByteCount: 65_536).root
        #expect(allowed.status == 0 && root.elements?.first?["installed"]?.boolean == true, "\(allowed)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/anchors").count == 1)
        let noise = try folder.write([0x30, 1, 2, 3], "noise.der")
        #expect(try await carnet.run(["trust", "import", noise, "--manifest", manifest]).status != 0)
    }
}

import CarnetAttester
import CarnetEvidence
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

/// Which logs the program sends, and from where.
@Suite("carnet-agent and the logs", .serialized, .timeLimit(.minutes(5)))
struct AgentLogTests {
    private let agent = Program("carnet-agent"), tpm: SoftwareTPM, folder: TemporaryDirectory
    private let list: IMAListBuilder, runtime = GoodBoot.runtimeLog(), files: [String: String]

    init() throws {
        tpm = try SoftwareTPM.copy()
        folder = try TemporaryDirectory()
        list = try GoodBoot.imaList()
        files = [
            "--event-log": try folder.write(GoodBoot.log().bytes, "event-log"),
            "--runtime-log": try folder.write(runtime.bytes, "runtime-log"),
            "--ima-list": try folder.write(list.bytes, "ima-list"),
        ]
        try AttesterState().save(in: folder.path + "/agent")
    }

    private var machine: [String] { ["--tcti", tpm.tcti, "--state", folder.path + "/agent"] }

    private func arguments(_ options: [String]) -> [String] {
        options.flatMap { option in files[option].map { [option, $0] } ?? [option] }
    }

    private func evidence(_ wanted: String, _ options: [String]) async throws -> (Program.Ending, Evidence?) {
        let nonce = Base64URL.encode(SecureRandom.bytes(32))
        let text = #"{"nonce":"\#(nonce)","pcr_selection":[{"bank":"sha256","pcrs":[0,10,11]}]\#(wanted)}"#
        let file = try folder.write(Array(text.utf8), "requirements.json")
        let ending = try await agent.run(["evidence", "--requirements", file] + arguments(options) + machine)
        return (ending, ending.status == 0 ? try Evidence(parsing: ending.output) : nil)
    }

    private static let all = #","event_log":"required","runtime_log":"required","ima":{"offset":2}"#

    @Test("evidence sends what the requirements want, from the files that are named")
    func wanted() async throws {
        let named = ["--event-log", "--runtime-log", "--ima-list"]
        let (ending, found) = try await evidence(Self.all, named)
        let evidence = try #require(found, "\(ending.errors)")
        #expect(evidence.eventLog == GoodBoot.log().bytes && evidence.runtimeLog == runtime.bytes)
        let part = try #require(evidence.ima)
        #expect(try part.offset == 2 && IMAList(parsing: part.entries, startingAt: 2).count == list.count - 2)
        let plain = try #require(try await self.evidence("", named).1)
        #expect(plain.eventLog != nil && plain.runtimeLog == nil && plain.ima == nil)
        let none = try #require(try await self.evidence(#","event_log":"none""#, named).1)
        #expect(none.eventLog == nil)
    }

    @Test(
        "A log that is wanted and switched off, or absent, ends with a sentence that says what to do",
        arguments: [
            (#","event_log":"required""#, "--no-event-log", "--event-log"),
            (#","runtime_log":"required""#, "--no-runtime-log", "--runtime-log"),
            (#","ima":{"offset":0}"#, "--no-ima-list", "--ima-list"),
        ])
    func missing(wanted: String, off: String, option: String) async throws {
        let (ending, _) = try await evidence(wanted, [off, "--no-event-log"])
        #expect(ending.status == 2 && ending.output.isEmpty && ending.errors.contains(option), "\(ending.errors)")
    }

    @Test("A file that was named and is not there ends with status 3 and its name")
    func gone() async throws {
        let missing = folder.path + "/nothing"
        for (wanted, option) in [
            (#","event_log":"optional""#, "--event-log"), (#","runtime_log":"optional""#, "--runtime-log"),
            (#","ima":{"offset":0}"#, "--ima-list"),
        ] {
            let (ending, _) = try await evidence(wanted, ["\(option)=\(missing)"])
            #expect(ending.status == 3 && ending.errors.contains(missing), "\(ending)")
        }
    }

    @Test("Requirements that cannot be read end with status 2 and the member's name")
    func unreadable() async throws {
        for (wanted, member) in [
            (#","runtime_log":"perhaps""#, "runtime_log"), (#","ima":{"offset":-1}"#, "ima.offset"),
            (#","ima":{}"#, "ima.offset"),
        ] {
            let (ending, _) = try await evidence(wanted, ["--no-event-log"])
            #expect(ending.status == 2 && ending.errors.contains(member), "\(ending)")
        }
    }

    @Test("enrol, attest and evidence have the same options and name the standard places")
    func help() async throws {
        for command in ["enrol", "attest", "evidence"] {
            let text = try await agent.run([command, "--help"]).text.split(whereSeparator: \.isWhitespace)
                .joined(separator: " ")
            for word in [
                "--event-log <event-log>", "--no-event-log", "--runtime-log <runtime-log>", "--no-runtime-log",
                "--ima-list <ima-list>", "--no-ima-list", LogSources.standardEventLog, LogSources.standardRuntimeLog,
                LogSources.standardIMAList,
            ] { #expect(text.contains(word), "\(command): \(word)") }
        }
    }

    @Test("attest sends what the session wants, and asks once more when the verifier cannot go on from it")
    func attest() async throws {
        let answer =
            #"{"status":"failed","findings":[{"family":"broken-evidence-chain","rule":"ima-continuity","description":"It does not continue"}]}"#
        let verifier = ScriptedVerifier([.init(requirements: Self.all, answer: answer)])
        let ending = try await verifier.run { client in
            try await agent.run(
                ["attest", "--verifier", "http://127.0.0.1:\(client.port)", "--plain-http"]
                    + arguments(["--event-log", "--runtime-log", "--ima-list"]) + machine)
        }
        #expect(ending.status == 1 && ending.errors.contains("It does not continue"), "\(ending)")
        #expect(verifier.sessions.map(\.ima) == [nil, "whole"])
        #expect(verifier.sessions.map(\.evidence?.ima?.offset) == [2, 0])
        #expect(verifier.sessions.allSatisfy { $0.evidence?.runtimeLog == runtime.bytes })
    }
}

import CarnetClient
import CarnetAttester
import CarnetEvidence
import CarnetTesting
import MeasurementLogs
import ServiceHarness
import Testing
import VerifierHarness

/// A verifier that cannot go on from a part of the IMA list is a fault that a real one has only when its machine lies: it is scripted here.
@Suite("When a verifier cannot go on from a part of the IMA list", .timeLimit(.minutes(5)))
struct ContinuityTests {
    private static func failed(_ rule: String) -> String {
        #"{"status":"failed","findings":[{"family":"broken-evidence-chain","rule":"\#(rule)","description":"no"}]}"#
    }

    private static let part = #","ima":{"offset":2}"#
    private static let whole = #","ima":{"offset":0}"#
    private static let complete = #"{"status":"complete","result":"a.b.c","findings":[]}"#

    /// Attests once on a TPM of its own, whose kernel measured three files.
    private func attest(
        _ verifier: ScriptedVerifier
    ) async throws -> (Result<AttesterClient.Attested, any Error>, list: [UInt8]) {
        let tpm = try SoftwareTPM.copy(), list = try GoodBoot.imaList()
        try tpm.measure(list)
        return try await verifier.run { client in
            let connection = try ServiceConnection("http://127.0.0.1:\(client.port)", allowPlainHTTP: true)
            let collector = EvidenceCollector(device: try tpm.device(), state: AttesterState())
            let result: Result<AttesterClient.Attested, any Error>
            do {
                result = .success(
                    try await AttesterClient(connection).attest(
                        collector, logs: LogSources(imaList: .bytes(list.bytes))))
            } catch {
                result = .failure(error)
            }
            await connection.close()
            return (result, list.bytes)
        }
    }

    @Test("It is asked once for a session that wants the whole list, and gets it")
    func retry() async throws {
        let verifier = ScriptedVerifier([
            .init(requirements: Self.part, answer: Self.failed("ima-continuity")),
            .init(requirements: Self.whole, answer: Self.complete),
        ])
        let (result, list) = try await attest(verifier)
        #expect(try result.get().token == Array("a.b.c".utf8))
        let sessions = verifier.sessions
        #expect(sessions.map(\.ima) == [nil, "whole"])
        #expect(sessions[0].evidence?.ima?.offset == 2)
        #expect(sessions[1].evidence?.ima == Evidence.IMA(offset: 0, entries: list))
        #expect(sessions[0].evidence?.quote != sessions[1].evidence?.quote, "the second session has a nonce of its own")
    }

    @Test("One that always says so is asked twice and no more, and what it said is told")
    func noLoop() async throws {
        let verifier = ScriptedVerifier([.init(requirements: Self.part, answer: Self.failed("ima-continuity"))])
        let (result, list) = try await attest(verifier)
        let attested = try result.get()
        #expect(attested.token == nil && attested.findings.map(\.rule) == ["ima-continuity"])
        #expect(verifier.sessions.map(\.ima) == [nil, "whole"])
        // Whatever the second session says that it wants.
        #expect(verifier.sessions[1].evidence?.ima == Evidence.IMA(offset: 0, entries: list))
    }

    @Test(
        "Nothing else is asked twice",
        arguments: [
            failed("ima-replay"), complete,
            #"{"status":"complete","result":"a.b.c","findings":[{"family":"policy-violation","rule":"ima-continuity","description":"no"}]}"#,
        ])
    func once(answer: String) async throws {
        let verifier = ScriptedVerifier([.init(requirements: Self.part, answer: answer)])
        _ = try await attest(verifier).0.get()
        #expect(verifier.sessions.count == 1)
    }

    @Test(
        "Requirements that cannot be read end it before anything is sent",
        arguments: [
            #","ima":{"offset":-1}"#, #","ima":7"#, #","runtime_log":"maybe""#, #","event_log":"""#,
            #","ima":{"offset":1,"more":1}"#,
        ])
    func unreadable(requirements: String) async throws {
        let verifier = ScriptedVerifier([.init(requirements: requirements, answer: Self.complete)])
        let result = try await attest(verifier).0
        #expect(throws: AttesterClient.Unreadable.self) { try result.get() }
        #expect(verifier.sessions.count == 1 && verifier.sessions[0].evidence == nil)
    }

    @Test(
        "A log that is required and missing ends it before anything is sent", arguments: ["event_log", "runtime_log"])
    func missing(log: String) async throws {
        let verifier = ScriptedVerifier([.init(requirements: ",\"\(log)\":\"required\"", answer: Self.complete)])
        let result = try await attest(verifier).0
        #expect(throws: LogError.self) { try result.get() }
        #expect(verifier.sessions[0].evidence == nil)
    }
}

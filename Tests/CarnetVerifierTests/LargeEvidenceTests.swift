import CarnetEvidence
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// Evidence that is larger than ordinary evidence is looked at from outside before it is read.
@Suite(.timeLimit(.minutes(5))) struct LargeEvidenceTests {
    /// The head of a call with 30 MB, and the first of them.
    private static func begin(_ path: String, _ type: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\nContent-Length: 30000000\r\n\r\n"
            + String(repeating: " ", count: 700_000)
    }

    @Test("For a challenge that was used, or an enrolment that nobody began, the rest of it is not waited for")
    func early() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let session = try await client.call(.post, "/challenge-response/v1/newSession")
            let path = "/challenge-response/v1/" + (session.header("Location") ?? "")
            #expect(try await client.send(.post, path, type: Evidence.mediaType, "{}").status == 400)
            let used = try RawConnection(port: client.port)
            used.send(Self.begin(path, Evidence.mediaType))
            #expect(await used.readUntilClosed()?.contains("challenge-used") == true)
            let unknown = try RawConnection(port: client.port)
            unknown.send(Self.begin("/enrolment/v1/nodes/x/activation", "application/json"))
            #expect(await unknown.readUntilClosed()?.contains("activation-refused") == true)
        }
    }

    @Test("For a key that nobody knows it is not read at all; short evidence is") func unknownKey() async throws {
        let verifier = try VerifierUnderTest()
        try await verifier.run { client in
            let name = Base64URL.encode([0, 11] + [UInt8](repeating: 7, count: 32))
            for (count, status) in [(1000, 400), (600_000, 200)] {
                let session = try await client.call(.post, "/challenge-response/v1/newSession?ak=\(name)")
                let path = "/challenge-response/v1/" + (session.header("Location") ?? "")
                let body = [UInt8](repeating: 0x20, count: count)
                let answer = try await client.call(.post, path, type: Evidence.mediaType, body: body)
                #expect(answer.status == status, "\(answer.text)")
                if status == 200 {
                    #expect(try answer.json["status"]?.string == "failed" && answer.text.contains("attestation-key"))
                }
                let again = try await client.call(.post, path, type: Evidence.mediaType, body: body)
                #expect(again.problem == "challenge-used")
            }
        }
    }
}

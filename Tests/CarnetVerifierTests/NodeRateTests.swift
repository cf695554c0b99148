import CarnetService
@testable import CarnetRecords
import CarnetVerifier
import Foundation
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

/// One machine may get two pieces of evidence appraised at once, then one a minute.
@Suite(.timeLimit(.minutes(5))) struct NodeRateTests {
    private let clock = SettableRateClock()

    private func verifier() throws -> VerifierUnderTest {
        let clock = clock.clock
        return try verifierWithPolicy {
            $0.workLimits.nodeRate = RateLimit(perMinute: 1, burst: 2)
            $0.workLimits.clock = clock
        }
    }

    @Test(
        "A machine beyond its rate is told when to come again, its challenge is still good then, and others are not affected"
    )
    func rate() async throws {
        let verifier = try verifier()
        try await verifier.run { client async throws in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            let other = SimulatedMachine(try SimulatedTPM(), named: "node-2", client)
            try await machine.enrol(administrator: verifier.administrator)
            try await other.enrol(administrator: verifier.administrator)
            for _ in 0..<2 { #expect(try await machine.answer(machine.session()).status == 200) }
            let session = try await machine.session()
            let refused = try await machine.answer(session)
            #expect(refused.status == 429 && refused.problem == "too-many-requests")
            #expect(refused.header("Retry-After") == "60")
            // Nobody has it authenticate what its key did not sign, either.
            let forged = try await machine.answer(machine.session()) { $0.nonce[0] ^= 1 }
            #expect(forged.status == 429)
            #expect(try await other.answer(other.session()).json["result"]?.string != nil)
            clock.advance(by: 60)
            #expect(try await machine.answer(session).json["result"]?.string != nil)
        }
    }

    @Test("Nobody else can use a machine's rate up") func somebodyElse() async throws {
        let verifier = try verifier()
        try await verifier.run { client async throws in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            // Evidence with the machine's key in it, and a quote that is not its.
            for _ in 0..<10 {
                let answer = try await machine.answer(machine.session()) { $0.nonce[0] ^= 1 }
                #expect(answer.status == 200)
                #expect(try answer.json["result"]?.string == nil)
            }
            #expect(try await machine.answer(machine.session()).json["result"]?.string != nil)
        }
    }

    /// How many connections are slow: 500, or what `make test-slow` says.
    private static let slowCount =
        ProcessInfo.processInfo.environment["CARNET_SLOW_CONNECTIONS"].flatMap { Int($0) } ?? 500

    /// Lets this process have so many files open, if it may.
    private static func allowOpenFiles(_ count: Int) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        // Root may have more than the most that others may have.
        for most in [max(limit.rlim_max, rlim_t(count)), limit.rlim_max] {
            var wanted = rlimit(rlim_cur: max(limit.rlim_cur, min(rlim_t(count), most)), rlim_max: most)
            if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted) == 0 { return }
        }
    }

    @Test(
        "A passport arrives while hundreds of connections are slow, few or all of them with a place, and one client asks without end",
        .serialized, arguments: [200, slowCount + 1000])
    func underLoad(_ places: Int) async throws {
        let verifier = try verifierWithPolicy {
            $0.limits.clientRate = RateLimit(perMinute: 600, burst: 100)
            $0.limits.connectionCount = places
            $0.workLimits.queue = WorkQueue.Size(running: 4, waiting: 16, seconds: 10)
        }
        try await verifier.run { client async throws in
            let machine = SimulatedMachine(try SimulatedTPM(), client)
            try await machine.enrol(administrator: verifier.administrator)
            // Both ends are here.
            Self.allowOpenFiles(Self.slowCount * 2 + 4096)
            let slow = try await RawConnection.many(Self.slowCount, port: client.port) { "127.0.1.\($0 % 250 + 1)" }
            for (number, connection) in slow.enumerated() {
                connection.send("POST /enrolment/v1/nodes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
                if number % 2 == 0 { connection.send("Content-Length: 200000\r\n\r\n{") }
            }
            let hasty = try RawConnection(port: client.port, from: "127.0.2.1")
            hasty.send(
                String(
                    repeating:
                        "POST /challenge-response/v1/newSession HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                    count: 400))
            for _ in 0..<5 { #expect(try await machine.answer(machine.session()).json["result"]?.string != nil) }
            #expect(try await client.call(.get, "/readyz").status == 200)
            withExtendedLifetime((slow, hasty)) {}
        }
    }

    @Test("A limit out of its range stops the verifier from starting, and says which") func ranges() throws {
        let spoils: [(String, @Sendable (inout VerifierConfiguration) -> Void)] = [
            ("client-rate", { $0.limits.clientRate.perMinute = -1 }),
            ("client-burst", { $0.limits.clientRate.burst = 0 }),
            ("node-rate", { $0.workLimits.nodeRate.perMinute = 1_000_001 }),
            ("node-burst", { $0.workLimits.nodeRate.burst = 0 }),
            ("connections", { $0.limits.connectionCount = 15 }),
            ("connections-per-client", { $0.limits.connectionCountPerClient = 0 }),
            ("total-body-bytes", { $0.limits.totalBodyByteCount = 1 << 20 }),
            ("work-running", { $0.workLimits.queue.running = 0 }),
            ("work-waiting", { $0.workLimits.queue.waiting = -1 }),
            ("work-wait-seconds", { $0.workLimits.queue.seconds = 0 }),
        ]
        for (name, spoil) in spoils {
            let configuration = try VerifierUnderTest(spoil).configuration
            let error = #expect(throws: VerifierConfigurationError.self) { try configuration.check() }
            #expect(error?.description.hasPrefix("--\(name) ") == true, "\(name)")
        }
    }
}

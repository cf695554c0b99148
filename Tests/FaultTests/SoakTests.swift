@testable import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import ServiceHarness
import Testing
import VerifierHarness

/// A verifier under load for a while: its memory stays what it was.
///
/// `CARNET_SOAK_SECONDS` says how long; `make soak` takes ten minutes.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct SoakTests {
    static let seconds = ProcessInfo.processInfo.environment["CARNET_SOAK_SECONDS"].flatMap { Int($0) } ?? 20

    @Test("Memory stays flat") func flat() async throws {
        let key = TemporaryFolder.path("kek"), policy = try SimulatedTPM.policyFile()
        let replica = try Replica(database: nil, key: key, policy: policy)
        try replica.start()
        try #require(try await replica.isReady(), "\(replica.log)")
        let traffic = Traffic(client: replica.client, administrator: try await replica.bootstrap())
        let machines = try (0..<4).map { _ in try SimulatedTPM() }
        for (number, tpm) in machines.enumerated() { try await traffic.enrol(tpm, "node-\(number)") }
        var samples: [Int] = []
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, tpm) in machines.enumerated() {
                group.addTask { try await traffic.attest(tpm, "node-\(number)") }
            }
            group.addTask { await traffic.withdraw() }
            for _ in 0..<20 {
                try await Task.sleep(for: .milliseconds(Self.seconds * 50))
                samples.append(try replica.residentKilobytes())
            }
            group.cancelAll()
        }
        let heard = traffic.heard.now
        // Caches fill in the first half.
        let middle = samples[8..<12].reduce(0, +) / 4, last = samples[16..<20].reduce(0, +) / 4
        print(
            "\(Self.seconds) seconds, \(heard.passports.count) passports: memory in KiB at the start \(samples[0]),",
            "in the middle \(middle), at the end \(last)")
        #expect(last <= middle + middle / 10, "\(samples)")
        #expect(heard.passports.count >= Self.seconds && heard.faults.isEmpty, "\(heard.faults.prefix(3))")
        #expect(replica.stop() == 0)
    }
}

import CarnetService
import CarnetStorage
import Fixtures
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// Two verifiers on one PostgreSQL database.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: PostgreSQLServer.isInstalled, Comment(rawValue: PostgreSQLServer.skipReason)))
struct WebhookReplicaTests {
    @Test("Whatever happens at either is told once, and a machine that fails at both fails once") func both()
        async throws
    {
        let key = TemporaryFolder.path("kek"), policy = try SimulatedTPM.policyFile(), receiver = ScriptedReceiver()
        @Sendable func configure(_ configuration: inout VerifierConfiguration) {
            configuration.keyEncryptionKey = .file(key)
            configuration.receivers = ReceiverRules.loopback
            configuration.webhookInterval = .milliseconds(20)
        }
        let first = try VerifierUnderTest(on: .postgreSQL) {
            configure(&$0)
            $0.policyFile = policy
        }
        let second = try VerifierUnderTest(on: .postgreSQL, sharing: first.database) { configure(&$0) }
        try await first.run { one in
            try await second.run { other in
                try await receiver.run { url in
                    _ = try await first.subscribe(url, one)
                    let tpm = try SimulatedTPM()
                    let atOne = SimulatedMachine(tpm, one), atOther = SimulatedMachine(tpm, other)
                    try await atOne.enrol(administrator: first.administrator)
                    tpm.reboot(SimulatedTPM.badLog)
                    _ = try await atOne.answer(atOne.session())
                    _ = try await atOther.answer(atOther.session())
                    tpm.reboot()
                    _ = try await atOther.answer(atOther.session())
                    _ = try await atOne.answer(atOne.session())
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for index in 0..<20 {
                            group.addTask { try await first.withdraw(index % 2 == 0 ? one : other) }
                        }
                        try await group.waitForAll()
                    }
                    try await receiver.wait(for: 22)
                    try await Task.sleep(for: .milliseconds(300))
                    let messages = receiver.messages
                    #expect(messages.count == 22 && Set(messages.map(\.id)).count == 22, "\(messages.map(\.type))")
                    #expect(messages.filter { $0.type == "node.failed" }.count == 1)
                    #expect(messages.filter { $0.type == "node.recovered" }.count == 1)
                    #expect(try await Ledger(first.database.open()).faults().isEmpty)
                }
            }
        }
    }
}

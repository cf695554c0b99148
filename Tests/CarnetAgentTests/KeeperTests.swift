import CarnetClient
import CarnetAttester
import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Fixtures
import Foundation
import MeasurementLogs
import ServiceHarness
import TPM2
import Testing
import VerifierHarness

/// A keeper that a program embeds, with real TPM commands and a real verifier.
@Suite("A passport's keeper", .serialized, .timeLimit(.minutes(3))) struct KeeperTests {
    @Test("In whatever year the machine believes to be, it gets a passport, and its proofs are accepted")
    func wrongYear() async throws {
        let tpm = try SoftwareTPM.copy(), folder = try TemporaryDirectory(), log = GoodBoot.log()
        try tpm.measure(log)
        let office = try Office(trusting: tpm)
        try await office.verifier.run { (client: ServiceClient) async throws -> Void in
            let connection = try ServiceConnection("http://127.0.0.1:\(client.port)", allowPlainHTTP: true)
            let machine = AttestingMachine(
                tpm: SharedTPM(tpm.tcti), stateIn: folder.path + "/state", enrolment: Enrolment(name: "node-17"),
                verifier: connection, logs: LogSources(eventLog: .bytes(log.bytes)))
            var clock = KeeperClock.system
            clock.calendar = { 86_400 }
            let keeper = await PassportKeeper(machine, watchSeconds: 1, clock: clock)
            let running = Task { await keeper.run() }
            #expect(try await eventually { await keeper.present.passport != nil })
            let relyingParty = try await Office.relyingParty(client)
            let request = ProvenRequest(method: "GET", uri: "https://vault.example/x")
            let shown = try await keeper.prove(request)
            let passport = try relyingParty.verify(shown.passport, at: Office.now)
            #expect(throws: Never.self) {
                try relyingParty.prove(passport, by: shown.proof, of: request, at: Office.now)
            }
            let status = await keeper.present
            #expect(status.clockWarning?.contains("behind") == true && status.state == .fresh)
            running.cancel()
            await running.value
            await connection.close()
        }
        withExtendedLifetime(tpm) {}
    }

    @Test("A TPM that several use at once is opened for all of them, and free afterwards")
    func sharing() async throws {
        let tpm = try SoftwareTPM.copy(), shared = SharedTPM(tpm.tcti)
        let (held, letGo) = AsyncStream<Void>.makeStream()
        async let first = shared.hold { device in
            for await _ in held { break }
            return try device.bootEpoch()
        }
        let epoch = try await shared.use { try $0.bootEpoch() }
        letGo.yield()
        #expect(try await first == epoch)
        // It serves one client at a time: this works when the others are gone.
        #expect(try tpm.device().bootEpoch() == epoch)
        try tpm.reboot()
        #expect(try await shared.use { try $0.bootEpoch() }.resetCount > epoch.resetCount)
        let absent = SharedTPM("swtpm:path=/no/such/socket")
        for _ in 0..<2 {
            await #expect(throws: TPMDeviceError.self) { try await absent.use { try $0.bootEpoch() } }
        }
    }

    @Test("What differs is told: nothing, growth, or more; an epoch is never growth")
    func marks() {
        let epoch = BootEpoch(resetCount: 1, restartCount: 0)
        let mark = MachineMark(epoch: epoch, pcrs: [.sha256: [0: [1], 10: [2]]])
        #expect(mark.difference(to: mark) == .none && mark.selection?.text == "sha256:0,10")
        #expect(mark.difference(to: .init(epoch: epoch, pcrs: [.sha256: [0: [1], 10: [3]]])) == .growth)
        #expect(mark.difference(to: .init(epoch: epoch, pcrs: [.sha256: [0: [4], 10: [3]]])) == .change)
        #expect(mark.difference(to: .init(epoch: epoch, pcrs: [:])) == .change)
        for other in [BootEpoch(resetCount: 2, restartCount: 0), BootEpoch(resetCount: 1, restartCount: 1)] {
            #expect(mark.difference(to: .init(epoch: other, pcrs: mark.pcrs)) == .change)
        }
        #expect(MachineMark(epoch: epoch, pcrs: [:]).selection == nil)
    }
}

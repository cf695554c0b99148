import CarnetTesting
import Foundation
import MeasurementLogs
import ServiceHarness
import TPM2
import VerifierHarness

/// Machines that can attest: their TPMs' keys are in this process, made before anything is measured.
struct Fleet: Sendable {
    /// What each of them booted: a log as long as real ones.
    static let log = GoodBoot.log(ofAtLeast: 60_000)

    let tpms: [SimulatedTPM]

    /// Machines with fresh keys that booted as ``log`` says.
    init(count: Int) throws {
        tpms = try (0..<count).map { _ in
            let tpm = try SimulatedTPM()
            tpm.reboot(Self.log)
            return tpm
        }
    }

    /// A machine that speaks to a verifier.
    func machine(_ index: Int, _ client: ServiceClient) -> SimulatedMachine {
        SimulatedMachine(tpms[index], named: "machine-\(index)", client)
    }

    /// Enrols all of them by the verifier's own calls.
    func enrol(_ client: ServiceClient, administrator: String) async throws {
        try await inTurns(4) { try await machine($0, client).enrol(administrator: administrator) }
    }

    /// Calls `body` for each machine's index, `width` at once.
    func inTurns(_ width: Int, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for first in 0..<min(width, tpms.count) {
                group.addTask {
                    for index in stride(from: first, to: tpms.count, by: width) { try await body(index) }
                }
            }
            try await group.waitForAll()
        }
    }
}

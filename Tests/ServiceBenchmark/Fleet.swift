import CarnetEvidence
import CarnetStorage
import CarnetTesting
import CarnetVerifier
import Cryptography
import Foundation
import MeasurementLogs
import ServiceHarness
import StrictEncoding
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

/// Machines that are enrolled and never heard of again: they make the tables as long as a real fleet's.
///
/// They are written by the statements with which the verifier enrols, many in one transaction. Their keys are cheap: they differ, lie evenly
/// between all that are possible, and come in their order, so that machines with real keys lie among them.
struct Crowd {
    /// The verifier's database, while no verifier runs.
    let path: String
    private static let batchCount = 20_000

    /// Adds machines with the numbers of a range.
    func enrol(_ numbers: Range<Int>) async throws {
        let sample = try SimulatedTPM(), database = try SQLiteDatabase(path: path)
        let areas = (endorsement: sample.endorsementArea.bytes, attestation: sample.attestationArea.bytes)
        let now = WallClock.system.now, count = numbers.count
        for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: Self.batchCount) {
            let end = min(numbers.upperBound, start + Self.batchCount)
            try await database.write { connection in
                for number in start..<end {
                    let place = UInt64(number - numbers.lowerBound) &* (.max / UInt64(count))
                    let change = try NodeStore.add(
                        Self.identifier(place, number), Self.identity(place, number, areas),
                        boot: BootCounters(resetCount: 1, restartCount: 0, clock: 1000), firmwareVersion: 1,
                        approver: "benchmark", now: now, in: connection)
                    guard case .added = change.value else { throw Failure("a machine was not added") }
                    for event in change.events { try Ledger.append(event, at: now, "crowd", connection) }
                }
            }
        }
        try database.close()
    }

    /// 32 bytes that begin with a place among all.
    private static func bytes(_ place: UInt64, _ number: Int) -> [UInt8] {
        var rest = UInt64(truncatingIfNeeded: number)
        return place.bigEndianBytes
            + (0..<3).flatMap { _ in
                rest = rest &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return rest.bigEndianBytes
            }
    }

    private static func identifier(_ place: UInt64, _ number: Int) -> String {
        let digits = Hexadecimal.encode(bytes(place, number).prefix(16))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    private static func identity(
        _ place: UInt64, _ number: Int, _ areas: (endorsement: [UInt8], attestation: [UInt8])
    ) -> NodeIdentity {
        let key = bytes(place, number)
        return NodeIdentity(
            name: "rack-" + Hexadecimal.encode(key.prefix(12)), endorsement: .certificate, endorsementKeyDigest: key,
            endorsementKey: areas.endorsement.dropLast(32) + key, endorsementCertificate: nil,
            attestationKeyName: [0, 11] + key, attestationKey: areas.attestation.dropLast(32) + key)
    }
}

import CarnetTesting
import Fixtures
import Foundation
import VerifierHarness

/// What an attestation costs one verifier with SQLite, with so many machines enrolled.
struct FleetCost: Encodable {
    let enrolled: Int
    let load: Load
    /// Microseconds of the processor for one request for a session.
    let session: Double
    /// By the clock on the wall, one machine at a time.
    let stages: Stages
    /// Kilobytes of the process: when it had just started, after the load, and at most.
    let residentAtRest: Int
    let residentAfter: Int
    let highWater: Int
    /// Bytes of the database's file at the end.
    let databaseByteCount: Int
    /// By how many bytes it grew for each attestation. The first time a machine attests, its evidence is among them.
    let growth: Double

    /// Measures a verifier that is at rest.
    static func measure(
        _ fleet: Fleet, _ place: RunningVerifier.Place, enrolled: Int, on processor: Int, width: Int
    ) async throws -> FleetCost {
        let path = place.folder + "/carnet.sqlite", before = size(path)
        let verifier = try await RunningVerifier(place, on: processor)
        let atRest = verifier.use.resident
        let attest = { (width: Int) in
            try await Load.attest(fleet, at: [verifier.client], width: width, counting: [verifier.use])
        }
        _ = try await attest(width)
        var loads: [Load] = []
        for _ in 0..<5 { loads.append(try await attest(width)) }
        let session = try await Load.sessions(fleet, at: verifier, width: width)
        let sums = try await StageSums(verifier.client), alone = try await attest(1)
        let after = try await StageSums(verifier.client)
        let stages = after.stages(since: sums, alone.count, wall: 1e6 / alone.perSecond)
        let resident = verifier.use.resident, highWater = verifier.use.highWater
        // The end writes the log of the database to its place.
        try verifier.stop()
        let byteCount = size(path), count = (loads.count + 2) * fleet.tpms.count
        return FleetCost(
            enrolled: enrolled, load: loads.middle, session: session, stages: stages, residentAtRest: atRest,
            residentAfter: resident, highWater: highWater, databaseByteCount: byteCount,
            growth: Double(byteCount - before) / Double(count))
    }

    private static func size(_ path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }
}

import CarnetEvidence
import Foundation
import ServiceHarness
import StrictEncoding
import Synchronization
import TPM2
import VerifierHarness

/// What a number of attestations took.
struct Load: Encodable {
    let count: Int
    /// Attestations a second, as the clock on the wall says.
    let perSecond: Double
    /// Microseconds of the verifiers' processors for each.
    let processorMicroseconds: Double
    /// The part of the time in which the load generator's processor was busy: near 1 it was the bottleneck.
    let generatorBusy: Double
    /// The part of the time in which the verifiers were busy, in processors.
    let verifierBusy: Double
    /// Milliseconds from the request for a session to the passport: half of all, and all but one in a hundred.
    let medianMilliseconds: Double
    let slowMilliseconds: Double

    /// Lets each machine of a fleet attest once, with keep-alive connections.
    ///
    /// - Parameters:
    ///   - width: How many do so at once.
    ///   - clients: Each call goes to the next of them, as a load balancer does it.
    static func attest(
        _ fleet: Fleet, at clients: [ServiceClient], width: Int, counting uses: [ProcessUse]
    ) async throws -> Load {
        let latencies = Mutex<[Duration]>([])
        let processorTime = { uses.reduce(0) { $0 + $1.processorTime } }
        let start = ContinuousClock.now, before = processorTime(), own = ProcessUse.own.processorTime
        try await fleet.inTurns(width) { index in
            let start = ContinuousClock.now
            try await attest(
                fleet, index, clients[index % clients.count], clients[(index + 1) % clients.count])
            let duration = ContinuousClock.now - start
            latencies.withLock { $0.append(duration) }
        }
        let busy = processorTime() - before
        let seconds = (ContinuousClock.now - start) / .seconds(1), count = Double(fleet.tpms.count)
        let sorted = latencies.withLock { $0.map { $0 / .milliseconds(1) } }.sorted()
        return Load(
            count: fleet.tpms.count, perSecond: count / seconds,
            processorMicroseconds: busy / count,
            generatorBusy: (ProcessUse.own.processorTime - own) / 1e6 / seconds, verifierBusy: busy / 1e6 / seconds,
            medianMilliseconds: sorted[sorted.count / 2], slowMilliseconds: sorted[sorted.count * 99 / 100])
    }

    /// Microseconds of the verifier's processor for each request for a session.
    static func sessions(_ fleet: Fleet, at verifier: RunningVerifier, width: Int) async throws -> Double {
        let before = verifier.use.processorTime
        try await fleet.inTurns(width) { index in
            _ = try await fleet.machine(index, verifier.client).session(query(fleet, index))
        }
        return (verifier.use.processorTime - before) / Double(fleet.tpms.count)
    }

    private static func query(_ fleet: Fleet, _ index: Int) -> String {
        "?ak=" + Base64URL.encode(fleet.tpms[index].attestationArea.name.bytes)
    }

    /// A session from one verifier, its evidence to another, and a passport without findings.
    private static func attest(
        _ fleet: Fleet, _ index: Int, _ first: ServiceClient, _ second: ServiceClient
    ) async throws {
        let session = try await fleet.machine(index, first).session(query(fleet, index))
        let answer = try await fleet.machine(index, second).answer(session)
        guard answer.status == 200, try answer.json["result"]?.string != nil,
            try answer.json["findings"]?.elements?.isEmpty == true
        else { throw Failure("no good passport: \(answer.status) \(answer.text.prefix(400))") }
    }
}

/// The same measurement several times: the middle one by the verifier's processor time.
extension [Load] {
    var middle: Load {
        let sorted = sorted { $0.processorMicroseconds < $1.processorMicroseconds }
        return sorted[sorted.count / 2]
    }
}

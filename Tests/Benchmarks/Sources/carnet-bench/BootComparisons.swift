import CarnetAppraisal
import CarnetEvidence
import CarnetTesting
import Cryptography
import MeasurementLogs
import TPM2

/// A boot's log read as components, and a policy by components, against hashing the log's bytes once and extending its digests.
enum BootComparisons {
    static func all() throws -> [Comparison] {
        let log = GoodBoot.log(ofAtLeast: 60_000), bytes = log.bytes
        let parsed = try EventLog(parsing: bytes)
        guard let replay = ReplayedEventLog(parsed, bank: .sha256) else { throw Unready() }
        let text = PolicyText.draft(replay, id: "bench", style: .components)
        let policy = try Policy(parsing: Array(text.utf8))
        let machine = try ForgedMachine(booting: log)
        let challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 0)
        guard case .authentic(let quote) = try machine.authenticate(challenge) else { throw Unready() }
        let appraiser = Appraiser(policy: policy)
        let digests = log.measurements.compactMap { $0.digests[.sha256] }
        return [
            Comparison(
                name: "parse, replay, read as a boot", bar: 2, baselineName: "hash once, extend digests",
                baseline: { hashAndExtend(bytes, digests) },
                measured: {
                    let boot = (try? EventLog(parsing: bytes)).flatMap { ReplayedEventLog($0, bank: .sha256) }
                        .map(MeasuredBoot.init)
                    precondition(boot?.secureBoot == .enabled)
                }),
            Comparison(
                name: "appraise by components, no quote", bar: 5, baselineName: "hash once, extend digests",
                baseline: { hashAndExtend(bytes, digests) },
                measured: {
                    guard case .verdict(let verdict) = appraiser.appraise(quote, at: 0) else { preconditionFailure() }
                    precondition(verdict.status == .affirming)
                }),
        ]
    }

    private static func hashAndExtend(_ bytes: [UInt8], _ digests: [[UInt8]]) {
        precondition(HashAlgorithm.sha256.hash(bytes).count == 32)
        var chain = HashChain(.sha256)
        for digest in digests { digest.withUnsafeBytes { chain.extend(with: $0) } }
        precondition(!chain.holds([]))
    }

    struct Unready: Error {}
}

import CarnetAppraisal
import CarnetEvidence
import CarnetTesting
import Cryptography
import MeasurementLogs
import TPM2

/// What a policy by components adds to a log that was read: each measured component looked for among those that are allowed.
///
/// The appraiser reads the log itself, so the time of reading it, in the same rounds, is taken off. The baseline is the log hashed once:
/// it grows with the events as the policy's work should, and every verifier that looks at the bytes at all spends as much.
enum PolicyComparisons {
    static func all() throws -> [Comparison] {
        [
            // 1,000 components among ten: a digest's copy and ten comparisons each, in about as long as five passes of SHA-256 with the
            // processor's own instructions take over the 140 bytes of an event.
            try comparison("policy alone, 1,000 by 10", events: 1000, components: 10, bar: 9),
            // Told only: each component is compared with each that is allowed, so it grows with their product.
            try comparison("policy alone, 1,000 by 1,000", events: 1000, components: 1000, bar: nil),
        ]
    }

    /// A boot that starts `events` images, and a policy that allows all of them by `components` digests; the last one is as often asked
    /// for as the first.
    private static func comparison(
        _ name: String, events: Int, components: Int, bar: Double?
    ) throws -> Comparison {
        var log = GoodBoot.log()
        func image(_ number: Int) -> [UInt8] { Array("image \(number % components)".utf8) }
        for number in 0..<events {
            log.addImage(pcr: 4, path: "\\EFI\\BOOT\\image-\(number).efi", image: image(number))
        }
        let images = (0..<components).map(image) + [Array("shim".utf8), Array("grub".utf8)]
        let digests = images.map { "\"sha256:" + hexadecimal(HashAlgorithm.sha256.hash($0)) + "\"" }
        let policy = try Policy(
            parsing: Array(
                """
                version: 1
                id: many
                banks: {sha256: {0: ignore, 4: ignore, 7: ignore}}
                components: {application: {allow: [\(digests.joined(separator: ", "))]}}
                """.utf8))
        let bare = try Policy(
            parsing: Array("version: 1\nid: none\nbanks: {sha256: {0: ignore, 4: ignore, 7: ignore}}\n\(demand)".utf8))
        let machine = try ForgedMachine(booting: log)
        let challenge = Challenge(nonce: [UInt8](repeating: 1, count: 32), selection: policy.selection, expiresAt: 0)
        guard case .authentic(let quote) = try machine.authenticate(challenge) else { throw BootComparisons.Unready() }
        let bytes = log.bytes, appraiser = Appraiser(policy: policy), reader = Appraiser(policy: bare)
        func affirms(_ appraiser: Appraiser) -> Bool {
            guard case .verdict(let verdict) = appraiser.appraise(quote, at: 0) else { return false }
            // Remarks about the log are findings, too.
            return verdict.status == .affirming
        }
        precondition(affirms(appraiser) && affirms(reader))
        return Comparison(
            name: name, bar: bar, baselineName: "hash the \(bytes.count / 1000) KB log once",
            baseline: { precondition(HashAlgorithm.sha256.hash(bytes).count == 32) },
            measured: { precondition(affirms(appraiser)) }, apart: { precondition(affirms(reader)) })
    }

    /// The same reading of the log, and nothing to compare: Secure Boot alone.
    private static let demand = "boot: {secure_boot: required}\n"

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

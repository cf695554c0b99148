import CarnetAppraisal
import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Cryptography
import Foundation
import MeasurementLogs
import StrictEncoding
import TPM2

/// Prints what a user waits for as a ratio to raw OpenSSL, both measured in this run, and fails when a bar is missed.
@main
struct Bench {
    static func main() throws {
        let arguments = CommandLine.arguments
        // What a process of its own is asked, so that nothing but the pass is in its memory.
        if let mode = arguments.firstIndex(of: "--memory") { return try MemoryPass.run(arguments.dropFirst(mode + 1)) }
        let only = arguments.firstIndex(of: "--only").flatMap { arguments.dropFirst($0 + 1).first } ?? ""
        let comparisons = try
            (TokenComparisons.all() + appraisal() + BootComparisons.all() + PolicyComparisons.all()
            + IMAComparisons.all()
            + ToolComparisons.all() + StatusListComparisons.all()).filter { only.isEmpty || $0.name.contains(only) }
        print(
            "operation                          measured     baseline                        baseline     ratio    bar")
        var missed = 0
        for comparison in comparisons {
            let result = comparison.run()
            print(line(result))
            if !result.meetsBar { missed += 1 }
        }
        for use in try MemoryUse.all(only) {
            print(use)
            if !use.meetsBar { missed += 1 }
        }
        if only.isEmpty || "verify a passport, and a peer".contains(only) {
            for result in try PeerComparisons.all() {
                print(line(result))
                if !result.meetsBar { missed += 1 }
            }
        }
        if only.isEmpty || arguments.contains("--allocations") {
            print("\nAllocations per operation:")
            for (name, count, bar) in try TokenComparisons.allocations() {
                let verdict = bar.map { count <= $0 ? ", bar \($0)" : ", bar \($0)  MISSED" } ?? ""
                print("  " + name.padding(toLength: 33, withPad: " ", startingAt: 0) + "\(count)\(verdict)")
                if let bar, count > bar { missed += 1 }
            }
        }
        if arguments.contains("--where") { try breakdown() }
        if missed > 0 { FileHandle.standardError.write(Data("\(missed) bars were missed\n".utf8)) }
        exit(missed == 0 ? 0 : 1)
    }

    static func appraisal() throws -> [Comparison] {
        let log = GoodBoot.log(ofAtLeast: 60_000), subject = try AppraisalSubject(log, isBoundInTPM: false)
        let binding = try AppraisalSubject(log, isBoundInTPM: true)
        let raw = try RawOpenSSL(subject.machine.attestationKey, message: subject.evidence.quote.attest)
        let bytes = subject.evidence.eventLog ?? []
        let size = "\(bytes.count / 1000) KB log"
        return [
            Comparison(
                name: "appraise quote and \(size)", bar: 3, baselineName: "verify once, hash the log once",
                baseline: {
                    precondition(raw.verify())
                    precondition(HashAlgorithm.sha256.hash(bytes).count == 32)
                }, measured: { precondition(subject.appraise()) }),
            Comparison(
                name: "the same with two certified keys", bar: 3, baselineName: "verify 3 times, hash it once",
                baseline: {
                    precondition(raw.verify() && raw.verify() && raw.verify())
                    precondition(HashAlgorithm.sha256.hash(bytes).count == 32)
                }, measured: { precondition(binding.appraise()) }),
        ]
    }

    /// Where the time of a warm verification and of an appraisal goes, in microseconds.
    static func breakdown() throws {
        let forge = try TokenForge(), now: Int64 = 1_800_000_000
        let result = try forge.result(issuedAt: now), token = try forge.signingKey.mint(result)
        let jws = try CompactJWS(parsing: token)
        let payload = Base64URL.decode(jws.payloadSegment) ?? []
        let subject = try AppraisalSubject(GoodBoot.log(ofAtLeast: 60_000), isBoundInTPM: true),
            bytes = subject.evidence.eventLog ?? []
        let parts: [(String, () -> Void)] = [
            ("split the token", { _ = try? CompactJWS(parsing: token) }),
            ("check its signature", { _ = jws.isSigned(by: forge.key.publicKey) }),
            ("decode the payload", { _ = Base64URL.decode(jws.payloadSegment) }),
            ("parse the claims", { _ = try? IndexedJSON(parsing: payload, maximumByteCount: 16_384) }),
            ("the same by jansson", { _ = try? JSONDocument(parsing: payload, maximumByteCount: 16_384) }),
            ("hash the token", { _ = HashAlgorithm.sha256.hash(token) }),
            ("write the claims", { _ = result.claimsSet }),
            ("sign", { _ = try? forge.key.ecdsaSignature(over: token, .sha256) }),
            ("read quote and keys", { _ = try? UnverifiedQuote(subject.evidence) }),
            ("authenticate (3 signatures)", { _ = subject.authenticate() }),
            ("parse the log", { _ = try? EventLog(parsing: bytes) }),
            (
                "parse and replay it",
                { _ = (try? EventLog(parsing: bytes)).flatMap { ReplayedEventLog($0, bank: .sha256) } }
            ),
            ("hash the log once", { _ = HashAlgorithm.sha256.hash(bytes) }),
        ]
        print("\nWhere the time goes, microseconds:")
        for (name, part) in parts {
            let value = (0..<9).map { _ in Comparison.microseconds(200, part) }.sorted()[4]
            print("  " + name.padding(toLength: 32, withPad: " ", startingAt: 0) + String(Int(value * 10)).tenths)
        }
    }

    private static func line(_ result: Comparison.Result) -> String {
        func column(_ text: String, _ width: Int) -> String {
            text.padding(toLength: width, withPad: " ", startingAt: 0)
        }
        return column(result.name, 35) + column(String(Int(result.measured * 10)).tenths + " us", 13)
            + column(result.baselineName, 32) + column(String(Int(result.baseline * 10)).tenths + " us", 13)
            + column(String(Int(result.ratio * 1000)).thousandths, 9)
            + (result.bar.map { "\($0)\(result.meetsBar ? "" : "  MISSED")" } ?? "none")
    }
}

extension String {
    fileprivate var tenths: String { decimal(1) }
    fileprivate var thousandths: String { decimal(3) }

    private func decimal(_ places: Int) -> String {
        let digits = String(repeating: "0", count: Swift.max(0, places + 1 - count)) + self
        return digits.dropLast(places) + "." + digits.suffix(places)
    }
}

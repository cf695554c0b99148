import CarnetEvidence
import CarnetStorage
import CarnetTesting
import CarnetRecords
import CarnetVerifier
import StrictEncoding
import TPM2
import VerifierHarness

/// Machines that are enrolled and never heard of again: they make the tables as long as a real fleet's.
///
/// Ten thousand of them are written by the statements with which the verifier enrols, the others are copies with other keys. The keys are
/// cheap: they differ, and lie evenly between all that are possible, so that machines with real keys lie among them.
struct Crowd {
    /// The verifier's database, while no verifier runs.
    let path: String
    /// How many are written one by one, at the most twice.
    private static let patternCount = 10_000

    /// Adds machines with the numbers of a range.
    func enrol(_ numbers: Range<Int>) async throws {
        let copies = max(1, numbers.count / Self.patternCount)
        let patterns = numbers.lowerBound..<(numbers.lowerBound + numbers.count / copies)
        let database = try SQLiteDatabase(path: path)
        try await database.write { connection in
            try Self.add(patterns, in: connection)
            if copies > 1 { try Self.copy(patterns, copies - 1, in: connection) }
            try Self.add((patterns.lowerBound + patterns.count * copies)..<numbers.upperBound, in: connection)
        }
        try database.close()
    }

    /// As the verifier adds them.
    private static func add(_ numbers: Range<Int>, in connection: any SQLConnection) throws {
        let sample = try SimulatedTPM(), now = WallClock.system.now
        let areas = (endorsement: sample.endorsementArea.bytes, attestation: sample.attestationArea.bytes)
        for number in numbers {
            let place = UInt64(number - numbers.lowerBound) &* (.max / UInt64(numbers.count))
            let change = try NodeStore.add(
                identifier(place, number), identity(place, number, numbers.lowerBound, areas),
                boot: BootCounters(resetCount: 1, restartCount: 0, clock: 1000), firmwareVersion: 1,
                approver: "benchmark", now: now, in: connection)
            guard case .added = change.value else { throw Failure("a machine was not added") }
            for event in change.events { try Ledger.append(event, at: now, "crowd", connection) }
        }
    }

    /// More of the same with other keys, by the engine: it is twenty times as fast. The ledger does not tell of them.
    private static func copy(_ numbers: Range<Int>, _ count: Int, in connection: any SQLConnection) throws {
        let count = Int64(count), first = "rack\(numbers.lowerBound)-", end = "rack\(numbers.lowerBound)."
        try connection.execute(
            """
            WITH RECURSIVE copies (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copies WHERE k < \(count))
            INSERT INTO boot_counters (ak_name, clock, reset_count, restart_count, firmware_version, updated_at)
            SELECT CAST(substr(nodes.ak_name, 1, 26) || printf('%08x', k) AS BLOB), clock, reset_count, restart_count,
                firmware_version, updated_at
            FROM nodes JOIN boot_counters ON boot_counters.ak_name = nodes.ak_name JOIN copies
            WHERE name >= \(first) AND name < \(end) ORDER BY nodes.ak_name, k
            """)
        try connection.execute(
            """
            WITH RECURSIVE copies (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copies WHERE k < \(count))
            INSERT INTO nodes (id, name, endorsement, ek_digest, ek_public, ek_certificate, ak_name, ak_public,
                created_at, approved_at, approved_by, labels)
            SELECT substr(id, 1, 28) || printf('%08x', k), name || '.' || k, endorsement,
                CAST(substr(ek_digest, 1, 24) || printf('%08x', k) AS BLOB), ek_public, ek_certificate,
                CAST(substr(ak_name, 1, 26) || printf('%08x', k) AS BLOB), ak_public, created_at, approved_at,
                approved_by, labels
            FROM nodes JOIN copies WHERE name >= \(first) AND name < \(end) ORDER BY ak_name, k
            """)
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
        _ place: UInt64, _ number: Int, _ first: Int, _ areas: (endorsement: [UInt8], attestation: [UInt8])
    ) -> NodeIdentity {
        let key = bytes(place, number)
        return NodeIdentity(
            name: "rack\(first)-" + Hexadecimal.encode(key.prefix(12)), endorsement: .certificate,
            endorsementKeyDigest: key,
            endorsementKey: areas.endorsement.dropLast(32) + key, endorsementCertificate: nil,
            attestationKeyName: [0, 11] + key, attestationKey: areas.attestation.dropLast(32) + key)
    }
}

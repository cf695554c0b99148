import Foundation

/// Everything that was measured, and the bars.
struct Report: Encodable {
    let surroundings: Surroundings
    let durability = "SQLite: WAL, synchronous = FULL; PostgreSQL: fsync and synchronous_commit on"
    let steps: LibraryCost
    /// Microseconds for the two calls of an attestation, by Hummingbird alone.
    let emptyRoute: Double
    let fleets: [FleetCost]
    let replicas: Replicas?
    let bars: [Bar]

    /// A ratio that must not be exceeded; without a limit it is only told.
    struct Bar: Encodable {
        let name: String
        let ratio: Double
        let limit: Double?
        var isMet: Bool { limit.map { ratio <= $0 } ?? true }

        enum CodingKeys: String, CodingKey { case name, ratio, limit, isMet }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(ratio, forKey: .ratio)
            try container.encode(limit, forKey: .limit)
            try container.encode(isMet, forKey: .isMet)
        }
    }

    init(
        _ surroundings: Surroundings, _ steps: LibraryCost, emptyRoute: Double, _ fleets: [FleetCost],
        _ replicas: Replicas?
    ) {
        self.surroundings = surroundings
        self.steps = steps
        self.emptyRoute = emptyRoute
        self.fleets = fleets
        self.replicas = replicas
        var bars: [Bar] = []
        if let first = fleets.first, let last = fleets.last {
            let cost = first.load.processorMicroseconds
            bars.append(Bar(name: "an attestation / appraise + mint + row", ratio: cost / steps.sum, limit: 2.5))
            bars.append(Bar(name: "an attestation / two empty calls", ratio: cost / emptyRoute, limit: nil))
            if fleets.count > 1 {
                bars.append(
                    Bar(
                        name: "an attestation with \(last.enrolled) enrolled / with \(first.enrolled)",
                        ratio: last.load.processorMicroseconds / cost, limit: 1.3))
                bars.append(
                    Bar(
                        name: "most memory with \(last.enrolled) enrolled / with \(first.enrolled)",
                        ratio: Double(last.highWater) / Double(first.highWater), limit: 1.3))
            }
        }
        if let replicas {
            bars.append(
                Bar(
                    name: "an attestation with three replicas / with one",
                    ratio: replicas.three.load.processorMicroseconds / replicas.one.load.processorMicroseconds,
                    limit: nil))
        }
        self.bars = bars
    }

    /// The same for people.
    var text: String { (head + fleetLines + stageLines + replicaLines + barLines).joined(separator: "\n") }

    private var head: [String] {
        let place = surroundings
        return [
            "\(place.date), \(place.processorCount) x \(place.processor), Linux \(place.kernel), load \(place.loadBefore) before, \(place.loadAfter) after",
            "\(place.fileSystem), \(Int(place.syncMicroseconds)) us until a page is on the disk; \(durability)",
            "",
            "The library's own steps, microseconds of the processor; \(steps.evidenceByteCount) bytes of evidence:",
            "  parse and appraise \(tenths(steps.appraise))   mint \(tenths(steps.mint))   row \(tenths(steps.row))   sum \(tenths(steps.sum))",
            "Two calls of an empty Hummingbird route: \(tenths(emptyRoute))", "",
        ]
    }

    private var fleetLines: [String] {
        let names = [
            "enrolled", "us each", "per s", "busy", "client", "p50 ms", "p99 ms", "rest KB", "most KB", "file MB",
            "B each",
        ]
        return [row(names)]
            + fleets.map { fleet in
                row([
                    "\(fleet.enrolled)", tenths(fleet.load.processorMicroseconds), tenths(fleet.load.perSecond),
                    "\(Int(fleet.load.verifierBusy * 100)) %", "\(Int(fleet.load.generatorBusy * 100)) %",
                    tenths(fleet.load.medianMilliseconds),
                    tenths(fleet.load.slowMilliseconds), "\(fleet.residentAtRest)", "\(fleet.highWater)",
                    "\(fleet.databaseByteCount / 1_000_000)", "\(Int(fleet.growth))",
                ])
            } + bottleneck + [""]
    }

    private var bottleneck: [String] {
        guard fleets.contains(where: { $0.load.generatorBusy > 0.9 }) else { return [] }
        return ["The load generator was the bottleneck: attestations a second are its own, not the verifier's."]
    }

    private var stageLines: [String] {
        guard let fleet = fleets.first else { return [] }
        let stages = fleet.stages
        let rest = fleet.load.processorMicroseconds - steps.sum - fleet.session
        return [
            "Processor, with \(fleet.enrolled) enrolled: session \(tenths(fleet.session))   parse and appraise \(tenths(steps.appraise))   "
                + "mint \(tenths(steps.mint))   row \(tenths(steps.row))   rest (HTTP, look-ups, log) \(tenths(rest))",
            "Wall, one machine at a time: session \(tenths(stages.session))   parse and look up \(tenths(stages.parseAndLookUp))   "
                + "authenticate \(tenths(stages.authenticate))   appraise \(tenths(stages.appraise))   mint \(tenths(stages.sign))   "
                + "row and commit \(tenths(stages.record))   HTTP and client \(tenths(stages.rest))", "",
        ]
    }

    private var replicaLines: [String] {
        guard let replicas else { return [] }
        let names = ["replicas", "us each", "server us", "per s", "p50 ms", "p99 ms", "errors"]
        return ["PostgreSQL; all verifiers on one processor, server and machines on the other:", row(names)]
            + [("1", replicas.one), ("3", replicas.three)].map { name, measurement in
                row([
                    name, tenths(measurement.load.processorMicroseconds), tenths(measurement.serverMicroseconds),
                    tenths(measurement.load.perSecond), tenths(measurement.load.medianMilliseconds),
                    tenths(measurement.load.slowMilliseconds), "\(Int(measurement.databaseErrors))",
                ])
            } + [""]
    }

    private var barLines: [String] {
        bars.map { bar in
            let limit = bar.limit.map { "bar \($0)\(bar.isMet ? "" : "  MISSED")" } ?? "no bar"
            return "\(bar.name): \(Double(Int(bar.ratio * 100)) / 100), \(limit)"
        }
    }

    private func row(_ cells: [String]) -> String {
        cells.map { String(repeating: " ", count: max(0, 10 - $0.count)) + $0 }.joined()
    }

    private func tenths(_ value: Double) -> String { "\(Double(Int(value * 10)) / 10)" }
}

import ArgumentParser
import CarnetCommandLine
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import ServiceHarness
import Synchronization

/// How long it takes from the moment in which every node's passport lapses to the taint on the last of them, and what the gate needs for it.
struct TaintsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "taints", abstract: "How long from lapse to taint in a large cluster, and the gate's memory.",
        discussion: """
            EXAMPLE
              Tests/ServiceBenchmark/bench.sh taints --nodes 5000

            All passports lapse in the same second, which is the worst case; the first taint comes after the 30 seconds by which clocks may
            differ, and the ratio is about the time from the first to the last; the bound on how many nodes are tainted at once is off. The
            peer: a client that reads and patches as many nodes, with as many at once, and decides nothing. The cluster's API is a double in
            this process, on another processor.
            """)

    @Option(help: ArgumentHelp("How many nodes.", valueName: "number"))
    var nodes = 5000

    @Option(help: ArgumentHelp("The processor of the gate; everything else is on others.", valueName: "number"))
    var processor = 0

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let nodes: Int
        let welcomeSeconds, firstSeconds, medianSeconds, lastSeconds, peerSeconds, ratio, bar: Double
        let gateMicroseconds: Double
        let residentKilobytes, highWaterKilobytes: Int
        let loadBefore: Double

        var isMet: Bool { ratio <= bar }
        var text: String {
            func seconds(_ value: Double) -> String { String(format: "%.1f s", value) }
            return """
                \(nodes) nodes, all of whose passports lapse at once, load before \(loadBefore)
                welcome   \(seconds(welcomeSeconds)) until all had label and condition, from the gate's start
                taint     first after \(seconds(firstSeconds)), half after \(seconds(medianSeconds)), last after \(seconds(lastSeconds)); \(Int(gateMicroseconds)) µs of the gate's processor for each node
                peer      \(seconds(peerSeconds)) to read and patch as many: ratio \(String(format: "%.2f", ratio)), bar \(bar)
                memory    \(residentKilobytes) kB, at most \(highWaterKilobytes) kB
                """
        }
    }

    func run() async throws {
        let load = Surroundings.load, scene = try await GateScene()
        let names = (0..<nodes).map { "node-\($0)" }
        // Long enough for all to be welcomed before.
        let end = GateScene.now + Int64(60 + nodes / 40)
        try await each(names) { name in
            let passport = String(decoding: try scene.passport(name, until: end), as: UTF8.self)
            let answer = try await scene.cluster.call(
                .post, "/api/v1/nodes",
                ["metadata": ["name": .string(name), "annotations": ["carnet.dev/passport": .string(passport)]]])
            guard answer.status == 201 else { throw Failure("no node was made: \(answer.text)") }
        }
        let start = ContinuousClock.now
        let gate = try await scene.start(
            on: processor, gates: "controller",
            ["--lapse-grace", "0", "--evict-after", "86400", "--maximum-tainted-percent", "100"])
        defer { _ = gate.program.stop() }
        let seen = Mutex<[Double]>([])
        let watching = Task { try await watch(scene, from: end, into: seen) }
        try await scene.wait("the welcome of all nodes") {
            try await metric(gate, "carnet_admission_nodes{standing=\"attested\"}") == nodes
        }
        try await scene.wait("conditions on all nodes") { try await labelled(scene) == nodes }
        let welcome = (ContinuousClock.now - start) / .seconds(1)
        guard GateScene.now < end else { throw Failure("the welcome took too long: the passports have lapsed") }
        let before = gate.use.processorTime
        try await scene.wait("the last taint", seconds: 600) { seen.withLock(\.count) == nodes }
        watching.cancel()
        let times = seen.withLock { $0.sorted() }
        let peer = try await peerSeconds(scene)
        let report = Report(
            nodes: nodes, welcomeSeconds: welcome, firstSeconds: times[0], medianSeconds: times[nodes / 2],
            lastSeconds: times[nodes - 1], peerSeconds: peer, ratio: (times[nodes - 1] - times[0]) / peer, bar: 2,
            gateMicroseconds: (gate.use.processorTime - before) / Double(nodes), residentKilobytes: gate.use.resident,
            highWaterKilobytes: gate.use.highWater, loadBefore: load)
        if json { try Output.json(report) } else { Output.line(report.text) }
        await scene.cluster.stop()
        if !report.isMet { throw ExitCode(1) }
    }

    /// Notes when each node was tainted, in seconds after the passports' end.
    private func watch(_ scene: GateScene, from end: Int64, into seen: borrowing Mutex<[Double]>) async throws {
        var known: Set<String> = []
        try await scene.cluster.watch("/api/v1/nodes?watch=true") { events in
            while let event = try await events.next() {
                guard let node = event["object"], let name = node["metadata"]?["name"]?.string,
                    node["spec"]?["taints"]?.elements.contains(where: { $0["key"]?.string == "carnet.dev/unattested" })
                        == true, known.insert(name).inserted
                else { continue }
                seen.withLock { $0.append(Date().timeIntervalSince1970 - Double(end)) }
            }
        }
    }

    private func labelled(_ scene: GateScene) async throws -> Int {
        let list = try await scene.cluster.call(.get, "/api/v1/nodes").json["items"]?.elements ?? []
        return list.filter {
            $0["status"]?["conditions"]?.elements.contains { $0["type"]?.string == "CarnetAttested" } == true
        }
        .count
    }

    private func metric(_ gate: GateScene.RunningGate, _ name: String) async throws -> Int {
        let text = try await gate.client.call(.get, "/metrics").text
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { Double($0.split(separator: " ").last ?? "") }.map { Int($0) } ?? 0
    }

    /// Seconds to read and patch as many nodes twice, as the gate does: the taint, and the condition.
    private func peerSeconds(_ scene: GateScene) async throws -> Double {
        let (cluster, _) = try await TestCluster.startDouble()
        let names = (0..<nodes).map { "node-\($0)" }
        let passport = String(decoding: try scene.passport("node-0"), as: UTF8.self)
        try await each(names) { name in
            _ = try await cluster.call(
                .post, "/api/v1/nodes",
                ["metadata": ["name": .string(name), "annotations": ["carnet.dev/passport": .string(passport)]]])
        }
        let start = ContinuousClock.now
        try await each(names) { name in
            let path = "/api/v1/nodes/" + name
            _ = try await cluster.call(.get, path)
            _ = try await cluster.call(
                .patch, path, ["spec": ["taints": [["key": "carnet.dev/unattested", "effect": "NoSchedule"]]]])
            _ = try await cluster.call(
                .patch, path + "/status", ["status": ["conditions": [["type": "CarnetAttested", "status": "False"]]]])
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        await cluster.stop()
        return seconds
    }

    /// Eight at once, as the gate writes.
    private func each(_ names: [String], _ body: @escaping @Sendable (String) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<8 {
                group.addTask {
                    for index in stride(from: lane, to: names.count, by: 8) { try await body(names[index]) }
                }
            }
            try await group.waitForAll()
        }
    }
}

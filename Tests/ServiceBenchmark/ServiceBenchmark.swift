import ArgumentParser
import CarnetCommandLine
import CarnetTesting
import Fixtures
import Foundation
import VerifierHarness

/// Measures the verifier's program, and fails when a bar is missed.
@main struct ServiceBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carnet-bench-service",
        abstract: "What an attestation costs: the verifier's program over HTTP on loopback, on one processor.",
        discussion: """
            EXAMPLES
              make bench-service
              Tests/ServiceBenchmark/bench.sh --json > service.json
              Tests/ServiceBenchmark/bench.sh --fleets 1000 --without-replicas
              Tests/ServiceBenchmark/bench.sh releases
              Tests/ServiceBenchmark/bench.sh unlock
              Tests/ServiceBenchmark/bench.sh idle
              Tests/ServiceBenchmark/bench.sh admissions
              Tests/ServiceBenchmark/bench.sh taints

            EXIT STATUS
              0  every bar was met
              1  one was missed, or something could not be measured
            """,
        subcommands: [
            MeasureCommand.self, ReleasesCommand.self, UnlockCommand.self, IdleCommand.self, AdmissionsCommand.self,
            TaintsCommand.self, EmptyRouteCommand.self,
        ],
        defaultSubcommand: MeasureCommand.self)
}

struct MeasureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "measure", abstract: "Measure everything.")

    @Option(help: ArgumentHelp("How many machines attest.", valueName: "number"))
    var machines = 500

    @Option(help: ArgumentHelp("How many of them do so at once.", valueName: "number"))
    var width = 8

    @Option(help: ArgumentHelp("How many machines are enrolled, from few to many.", valueName: "numbers"))
    var fleets = "1000,100000,1000000"

    @Flag(help: "Leave out the replicas on PostgreSQL.")
    var withoutReplicas = false

    @Option(help: ArgumentHelp("The processor of the verifiers; everything else is on others.", valueName: "number"))
    var processor = 0

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let sizes = fleets.split(separator: ",").compactMap { Int($0) }
        guard !sizes.isEmpty, sizes.allSatisfy({ $0 > machines }), sizes == sizes.sorted(), machines >= 10 else {
            throw ValidationError("--fleets are numbers that grow, each greater than --machines, which is 10 or more.")
        }
        let folder = try TemporaryFolder.make("service")
        var surroundings = try Surroundings(folder: folder)
        let policy = try GoodBoot.policy(for: Fleet.log), policyFile = folder + "/policy.yaml"
        try policy.write(toFile: policyFile, atomically: true, encoding: .utf8)

        note("the library's own steps")
        let library = try await LibraryCost.measure(200, policy: policy)
        note("keys of \(machines) machines")
        let fleet = try Fleet(count: machines)
        note("an empty route")
        let empty = try await EmptyRoute.measure(
            fleet, sending: [UInt8](repeating: 0x41, count: library.evidenceByteCount), on: processor, width: width)
        let costs = try await costs(
            fleet, sizes, RunningVerifier.Place(folder: folder + "/data", policyFile: policyFile))
        var replicas: Replicas?
        if !withoutReplicas {
            note("one replica and three on PostgreSQL")
            let part = try Fleet(count: min(machines, 120))
            replicas = try await Replicas.measure(part, policyFile: policyFile, verifiersOn: processor, width: width)
        }
        surroundings.loadAfter = Surroundings.load
        let report = Report(surroundings, library, emptyRoute: empty, costs, replicas)
        if json { try Output.json(report) } else { Output.line(report.text) }
        if !report.bars.allSatisfy(\.isMet) { throw ExitCode(1) }
    }

    /// The same verifier and the same machines, while more and more others are enrolled.
    private func costs(_ fleet: Fleet, _ sizes: [Int], _ place: RunningVerifier.Place) async throws -> [FleetCost] {
        note("enrolment of \(machines) machines")
        let verifier = try await RunningVerifier(place, on: processor)
        try await fleet.enrol(verifier.client, administrator: try await RunningVerifier.administrator(place))
        try verifier.stop()
        var costs: [FleetCost] = [], enrolled = machines
        for size in sizes {
            note("\(size) machines enrolled")
            try await Crowd(path: place.folder + "/carnet.sqlite").enrol(enrolled..<size)
            enrolled = size
            note("attestations with \(size) machines enrolled")
            costs.append(
                try await FleetCost.measure(fleet, place, enrolled: size, on: processor, width: width))
        }
        return costs
    }

    /// Says on standard error what is being done.
    private func note(_ text: String) {
        let time = Date().formatted(.iso8601.time(includingFractionalSeconds: false))
        try? FileHandle.standardError.write(contentsOf: Data("\(time) \(text)\n".utf8))
    }
}

import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import HTTPTypes
import KubernetesHarness
import NodeAdmission
import ServiceHarness

/// What it costs the gate's program to decide about a node: as a webhook, and as the approver of requests.
struct AdmissionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admissions", abstract: "What a decision costs the gate of a cluster, on one processor.",
        discussion: """
            EXAMPLE
              Tests/ServiceBenchmark/bench.sh admissions

            Each request is of another node with another passport. The peers: two bare checks of ECDSA signatures for the library's
            decision, the library's decision for the program's. The cluster's API is a double in this process.
            """)

    @Option(help: ArgumentHelp("How many decisions of the webhook.", valueName: "number"))
    var count = 2000

    @Option(help: ArgumentHelp("How many requests for the approver, all at once.", valueName: "number"))
    var requests = 1000

    @Option(help: ArgumentHelp("How many calls of the webhook at once.", valueName: "number"))
    var width = 8

    @Option(help: ArgumentHelp("The processor of the gate; everything else is on others.", valueName: "number"))
    var processor = 0

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        let decisions, requests, width: Int
        let signaturesMicroseconds, libraryMicroseconds, libraryRatio, libraryBar: Double
        let webhookMicroseconds, webhookRatio, webhookBar, webhookPerSecondOfACore: Double
        let medianMilliseconds, slowMilliseconds: Double
        let approverMicroseconds, approverPerSecondOfACore, approverSeconds: Double
        let residentKilobytes: Int
        let loadBefore: Double

        var isMet: Bool { libraryRatio <= libraryBar && webhookRatio <= webhookBar }
        var text: String {
            """
            \(decisions) decisions of the webhook, \(requests) requests at once, load before \(loadBefore)
            library   \(Int(libraryMicroseconds)) µs each; two bare signature checks \(Int(signaturesMicroseconds)) µs: ratio \(ratio(libraryRatio)), bar \(libraryBar)
            webhook   \(Int(webhookMicroseconds)) µs of its processor each: \(Int(webhookPerSecondOfACore)) a second a core; ratio to the library \(ratio(webhookRatio)), bar \(webhookBar)
            latency   \(String(format: "%.1f", medianMilliseconds)) ms median, \(String(format: "%.1f", slowMilliseconds)) ms all but 1 %, \(width) at once
            approver  \(Int(approverMicroseconds)) µs of its processor each, with list, watch and write: \(Int(approverPerSecondOfACore)) a second a core; all approved in \(String(format: "%.1f", approverSeconds)) s
            memory    \(residentKilobytes) kB
            """
        }
        private func ratio(_ value: Double) -> String { String(format: "%.2f", value) }
    }

    func run() async throws {
        let load = Surroundings.load, scene = try await GateScene()
        let (library, signatures) = try libraryMicroseconds(scene)
        let gate = try await scene.start(on: processor, gates: "approver,webhook")
        defer { _ = gate.program.stop() }

        let reviews = try (0..<(count + 200)).map { try review(scene, "node-\($0)") }
        _ = try await decide(gate.client, reviews.prefix(200))
        let before = gate.use.processorTime
        let latencies = try await decide(gate.client, reviews.suffix(count)).sorted()
        let webhook = (gate.use.processorTime - before) / Double(count)

        let objects = try (0..<requests).map { try scene.object("machine-\($0)") }
        let path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
        let start = ContinuousClock.now, idle = gate.use.processorTime
        try await inTurns(objects) { object in
            let answer = try await scene.cluster.call(.post, path, object, as: .bootstrap)
            guard answer.status == 201 else { throw Failure("no request was made: \(answer.text)") }
        }
        try await scene.wait("approval of all requests") {
            let list = try await scene.cluster.call(.get, path).json["items"]?.elements ?? []
            return list.filter { $0["status"]?["conditions"]?.elements.first?["type"]?.string == "Approved" }.count
                == requests
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let approver = (gate.use.processorTime - idle) / Double(requests)
        let report = Report(
            decisions: count, requests: requests, width: width, signaturesMicroseconds: signatures,
            libraryMicroseconds: library, libraryRatio: library / signatures, libraryBar: 5,
            webhookMicroseconds: webhook, webhookRatio: webhook / library, webhookBar: 6,
            webhookPerSecondOfACore: 1e6 / webhook, medianMilliseconds: latencies[latencies.count / 2],
            slowMilliseconds: latencies[latencies.count * 99 / 100], approverMicroseconds: approver,
            approverPerSecondOfACore: 1e6 / approver, approverSeconds: seconds, residentKilobytes: gate.use.resident,
            loadBefore: load)
        if json { try Output.json(report) } else { Output.line(report.text) }
        await scene.cluster.stop()
        if !report.isMet { throw ExitCode(1) }
    }

    private func review(_ scene: GateScene, _ node: String) throws -> [UInt8] {
        let review: HarnessJSON = [
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": [
                "uid": .string(UUID().uuidString), "operation": "CREATE", "name": .string("carnet-" + node),
                "resource": [
                    "group": "certificates.k8s.io", "version": "v1", "resource": "certificatesigningrequests",
                ],
                "userInfo": ["username": "system:bootstrap:abcdef", "groups": ["system:bootstrappers"]],
                "object": try scene.object(node),
            ],
        ]
        return review.bytes
    }

    /// Asks the webhook, and says how long each answer took, in milliseconds.
    private func decide(_ client: ServiceClient, _ reviews: ArraySlice<[UInt8]>) async throws -> [Double] {
        try await inTurns(Array(reviews)) { review in
            let start = ContinuousClock.now
            let answer = try await client.call(
                .post, "/validate/certificatesigningrequests", type: "application/json", body: review)
            guard answer.status == 200, answer.text.contains(#""allowed":true"#) else {
                throw Failure("not allowed: \(answer.status) \(answer.text)")
            }
            return (ContinuousClock.now - start) / .milliseconds(1)
        }
    }

    @discardableResult
    private func inTurns<Item: Sendable, Value: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: [Value].self) { group in
            for lane in 0..<width {
                group.addTask { [width] in
                    var values: [Value] = []
                    for index in stride(from: lane, to: items.count, by: width) {
                        values.append(try await body(items[index]))
                    }
                    return values
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// Microseconds of this processor for a decision by the library, and for two bare signature checks.
    private func libraryMicroseconds(_ scene: GateScene) throws -> (library: Double, signatures: Double) {
        var expectations = AdmissionRules.expectations(issuer: GateScene.issuer, audience: GateScene.audience)
        expectations.revocation = .notChecked
        let verifier = try PassportVerifier(keySet: scene.keySet, expectations: expectations)
        let rules = AdmissionRules(), now = GateScene.now
        let requests = try (0..<400).map { number in
            NodeCertificateRequest(
                name: "csr-\(number)", signer: .apiServerClientKubelet, request: try scene.request("node-\(number)"),
                usages: ["digital signature", "client auth"], expirationSeconds: 14_400,
                username: "system:bootstrap:abcdef", groups: ["system:bootstrappers"])
        }
        let before = ProcessUse.own.processorTime
        for request in requests {
            guard case .admit = rules.decide(request, by: verifier, at: now) else { throw Failure("not admitted") }
        }
        let library = (ProcessUse.own.processorTime - before) / Double(requests.count)

        let key = try PrivateKey.generate(), message = [UInt8](repeating: 7, count: 1024)
        let signature = try key.ecdsaSignature(over: message, .sha256), publicKey = key.publicKey
        let start = ProcessUse.own.processorTime
        for _ in 0..<800 {
            guard publicKey.isValidECDSASignature(fixedWidth: signature, over: message, .sha256) else {
                throw Failure("no signature")
            }
        }
        return (library, (ProcessUse.own.processorTime - start) / 400)
    }
}

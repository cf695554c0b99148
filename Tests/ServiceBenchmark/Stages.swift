import Foundation
import HTTPTypes
import ServiceHarness

/// The sums of the durations that a verifier tells in its metrics, in seconds.
struct StageSums {
    private let text: [String: Double]

    init(_ client: ServiceClient) async throws {
        let page = try await client.call(.get, "/metrics").text
        var text: [String: Double] = [:]
        for line in page.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            text[String(line[..<space])] = value
        }
        self.text = text
    }

    private func stage(_ name: String) -> Double {
        text["carnet_appraisal_duration_seconds_sum{stage=\"\(name)\"}", default: 0]
    }

    private func call(_ route: String) -> Double {
        text["carnet_http_request_duration_seconds_sum{route=\"\(route)\",method=\"POST\"}", default: 0]
    }

    /// Microseconds for each of `count` attestations since an earlier look.
    func stages(since earlier: StageSums, _ count: Int, wall: Double) -> Stages {
        func each(_ value: (StageSums) -> Double) -> Double { (value(self) - value(earlier)) * 1e6 / Double(count) }
        let session = each { $0.call("/challenge-response/v1/newSession") }
        let submit = each { $0.call("/challenge-response/v1/session/{id}") }
        let authenticate = each { $0.stage("authenticate") }, appraise = each { $0.stage("appraise") }
        let record = each { $0.stage("record") }, sign = each { $0.stage("sign") }
        return Stages(
            session: session, authenticate: authenticate, appraise: appraise, record: record, sign: sign,
            parseAndLookUp: submit - authenticate - appraise - record - sign, rest: wall - session - submit)
    }
}

/// Where the time between a machine's first byte and its passport goes, one machine at a time: microseconds by the clock on the wall,
/// waiting for the disk included.
struct Stages: Encodable {
    /// The whole call that makes a session.
    let session: Double
    /// Node and counters looked up, three signatures verified.
    let authenticate: Double
    /// Log, values and policy.
    let appraise: Double
    /// The transaction, until it is on the disk.
    let record: Double
    /// The passport written and signed.
    let sign: Double
    /// The rest of the call with the evidence: JSON and base64, look-ups of the policy, of revocations, of the challenge.
    let parseAndLookUp: Double
    /// Outside of the routes: HTTP, sockets, and the client, with its own signatures.
    let rest: Double
}

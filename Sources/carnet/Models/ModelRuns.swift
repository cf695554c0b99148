import CarnetClient
import CarnetAttester
import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import Foundation
import StrictEncoding
import TPM2
import CarnetCommandLine

/// What one model cost: a preparation, and then each request.
struct ModelRun {
    var verifierCalls = 0
    /// Verdicts that the verifier appraised and signed.
    var verdicts = 0
    /// Milliseconds that passed between a call to the verifier and its answer, all calls together.
    var verifierTime = 0.0
    /// Milliseconds before the first request.
    var preparation = 0.0
    /// Milliseconds of the requests, each.
    var perRequest: [Double] = []
    /// Milliseconds of the requests that the TPM was at work, each.
    var tpmPerRequest: [Double] = []
    /// Seconds for which the verdict stays in force.
    var lifetime: Int64 = 0

    var medianRequest: Double { Self.median(perRequest) }
    var medianTPM: Double { Self.median(tpmPerRequest) }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    /// Milliseconds since `start`.
    static func elapsed(since start: ContinuousClock.Instant) -> Double {
        (ContinuousClock.now - start) / .milliseconds(1)
    }
}

/// The machine gets one passport and its status list is fetched; then each request is a proof by the TPM and an offline check.
enum PassportRun {
    static func measure(
        _ machine: Machine, _ options: OperatorOptions, _ passport: PassportOptions, _ requests: Int
    ) async throws -> ModelRun {
        var run = ModelRun()
        let start = ContinuousClock.now
        let (attested, lists, waited) = try await options.withConnection { connection in
            let attested = try await AttesterClient(connection).attest(machine.collector, logs: machine.logs)
            let lists = try await fetchLists(of: attested.token, passport, connection)
            return (attested, lists, connection.waited)
        }
        let verifier = try passport.verifier(with: lists)
        guard let token = attested.token else {
            throw Failure(.refused, "The machine gets no passport; run `carnet-agent attest` to see why.")
        }
        run.preparation = ModelRun.elapsed(since: start)
        run.verifierCalls = 2 + lists.count
        run.verdicts = 1
        run.verifierTime = waited / .milliseconds(1)
        let key = try machine.collector.device.signingKey(unique: machine.collector.state.signingUnique)
        let publicKey = try JSONWebKey(key.publicArea.publicKey())
        let request = ProvenRequest(method: "GET", uri: "https://service.example/secret")
        do {
            for _ in 0..<requests {
                let begin = ContinuousClock.now
                let proof = try PossessionProof(for: request, showing: token, key: publicKey, issuedAt: currentTime()) {
                    try machine.collector.device.sign(digest: $0, with: key)
                }
                run.tpmPerRequest.append(ModelRun.elapsed(since: begin))
                let verified = try verifier.verify(token, at: currentTime())
                _ = try verifier.prove(verified, by: proof.token, of: request, at: currentTime())
                run.perRequest.append(ModelRun.elapsed(since: begin))
                run.lifetime = verified.expiresAt - verified.issuedAt
            }
        } catch let refusal as Refusal {
            throw Failure(.refused, "The passport is refused (\(refusal.code.rawValue)): \(refusal)")
        }
        return run
    }

    /// The status list that the passport names, as the verifier serves it; none when nobody looks.
    private static func fetchLists(
        of token: [UInt8]?, _ passport: PassportOptions, _ connection: ServiceConnection
    ) async throws -> [[UInt8]] {
        guard let token, !passport.status.skipStatus,
            let reference = try StatusCommand.reference(token, "The passport"),
            let name = reference.uri.split(separator: "/").last
        else { return [] }
        return [try await connection.send("GET", "/status-lists/\(name)").body]
    }
}

/// Each request is a nonce, a quote, and a call to the verifier over a connection that stays open.
enum BackgroundCheckRun {
    static func measure(_ machine: Machine, _ options: OperatorOptions, _ requests: Int) async throws -> ModelRun {
        try await options.withConnection { try await measure(machine, requests, over: $0) }
    }

    private static func measure(
        _ machine: Machine, _ requests: Int, over connection: ServiceConnection
    ) async throws -> ModelRun {
        var run = ModelRun()
        let start = ContinuousClock.now
        let requirements = try await OperatorOptions.send("GET", "/background-check/v1/requirements", over: connection)
        guard let requirements, let node = requirements["pcr_selection"], let selection = AttesterClient.selection(node)
        else { throw Failure(.unreachable, "The verifier did not say which PCRs it requires.") }
        let wanted = try AttesterClient.requirements(requirements)
        run.verifierCalls = 1
        run.preparation = ModelRun.elapsed(since: start)
        for _ in 0..<requests {
            let begin = ContinuousClock.now
            let nonce = RelyingPartyNonce.fresh()
            let evidence = try machine.collector.collect(
                nonce: nonce, selection: selection, requirements: wanted, logs: machine.logs)
            run.tpmPerRequest.append(ModelRun.elapsed(since: begin))
            let body = JSONWriter.object { writer in
                writer.base64URL("nonce", nonce)
                writer.object("evidence") { evidence.write(to: &$0) }
            }
            let answer = try await OperatorOptions.send(
                "POST", "/background-check/v1/appraisals", body: body, over: connection)
            guard answer?["result"]?.string.flatMap(ResultStatus.init)?.status == "affirming" else {
                throw Failure(.refused, "The background check does not affirm the machine.")
            }
            run.perRequest.append(ModelRun.elapsed(since: begin))
            run.verifierCalls += 1
            run.verdicts += 1
        }
        run.verifierTime = connection.waited / .milliseconds(1)
        return run
    }
}

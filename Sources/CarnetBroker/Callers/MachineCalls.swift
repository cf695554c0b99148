import CarnetRecords
import CarnetRelyingParty
import CarnetResult
import CarnetService
import CarnetStorage
import CarnetTrustRefresh
import Cryptography
import HTTPTypes

/// A machine that was let in: whose passport it is, proven.
struct MachineCaller: Sendable {
    let proven: ProvenResult

    var result: VerifiedResult { proven.result }
    /// The machine, as the passport's `sub` names it.
    var subject: String { proven.result.subject }
}

/// Lets machines in: each call carries a passport and a proof of possession (RFC 9449), with a nonce of this broker's.
struct MachineCalls: Sendable {
    let trust: TrustRefresher
    let nonces: ProofNonces
    /// How the broker is called from outside, without a slash at the end: what proofs name.
    let base: String
    let rates: RateLimiter?
    let ledger: Ledger
    let clock: WallClock

    /// A route for machines. The path that a proof names is the template with its parts filled in.
    func route(
        _ method: HTTPRequest.Method, _ path: String, upTo byteCount: Int = 0,
        _ body: @escaping @Sendable (ServiceRequest, MachineCaller) async throws -> ServiceResponse
    ) -> Route {
        let handler: Route.Handler = { request in
            var response: ServiceResponse
            do {
                response = try await body(request, try await caller(request, method, path))
            } catch {
                var problem = try Self.problem(error)
                if problem.headers[Self.nonceField] == nil {
                    problem.headers[Self.nonceField] = nonces.current(at: clock.now)
                }
                throw problem
            }
            response.headers[Self.nonceField] = nonces.current(at: clock.now)
            return response
        }
        return byteCount == 0
            ? Route(method, path, access: .attester, handler: handler)
            : Route(method, path, access: .attester, accepts: ["application/json"], upTo: byteCount, handler: handler)
    }

    private func caller(
        _ request: ServiceRequest, _ method: HTTPRequest.Method, _ path: String
    ) async throws -> MachineCaller {
        let uri = base + (try Self.filled(path, request))
        let presented = PresentedRequest(
            method: method.rawValue, uri: uri, authorization: request.headers[values: .authorization],
            proofs: request.headers[values: Self.proofField])
        let proven: ProvenResult
        do throws(RequestRefusal) {
            proven = try await trust.prove(presented, nonces: nonces)
        } catch {
            throw trust.problem(of: error.refusal, at: clock.now) ?? problem(of: error)
        }
        if let seconds = rates?.take(RateKey(kind: 5, Array(proven.result.subject.utf8))) {
            throw Problem.tooManyRequests("This machine", retryAfter: seconds, cause: .nodeRate)
        }
        if method == .put || method == .delete { try await useUp(proven) }
        return MachineCaller(proven: proven)
    }

    /// Uses up the proof of a call that changes something, in the database: neither another replica nor this one after a restart takes it
    /// with another body. A release brings the same message to the same key, and needs no more than the memory of this process.
    private func useUp(_ proven: ProvenResult) async throws {
        let name = "carnet/proof/v1\u{0}\(proven.result.keyThumbprint)\u{0}\(proven.proofID)"
        let digest = HashAlgorithm.sha256.hash(Array(name.utf8)), now = clock.now
        let isFirst = try await ledger.change(at: now) { connection in
            try connection.execute("DELETE FROM used_challenges WHERE expires_at < \(now - 3600)")
            return .unremarkable(
                try connection.execute(
                    """
                    INSERT INTO used_challenges (digest, expires_at) VALUES (\(digest), \(now + 3600))
                    ON CONFLICT (digest) DO NOTHING
                    """) == 1)
        }
        guard isFirst else {
            throw Problem(
                "passport-refused", .unauthorized, title: "The passport or its proof is not accepted",
                detail: "The proof was used before. Make a new proof for this request with the passport's key.",
                headers: [.wwwAuthenticate: "DPoP error=\"invalid_dpop_proof\", algs=\"ES256\""])
        }
    }

    /// The path as it was called: its parts are letters, digits, dots, dashes and underscores, so that there is one way to write it.
    private static func filled(_ path: String, _ request: ServiceRequest) throws(Problem) -> String {
        var parts: [String] = []
        for part in path.split(separator: "/") {
            guard part.hasPrefix("{"), part.hasSuffix("}") else {
                parts.append(String(part))
                continue
            }
            let value = try request.pathParameter(String(part.dropFirst().dropLast()))
            guard SecretName.isPart(value) else { throw .notFound("There is no such resource.") }
            parts.append(value)
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The answer to a passport or a proof that was refused.
    private func problem(of refusal: RequestRefusal) -> Problem {
        var headers = HTTPFields()
        for (name, value) in refusal.headerFields {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        return Problem(
            "passport-refused", HTTPResponse.Status(code: refusal.status),
            title: "The passport or its proof is not accepted",
            detail: refusal.refusal.code == .proofRequest
                ? "\(refusal.refusal.reason). Proofs name this broker as \(base): give exactly that as --broker."
                : refusal.description, headers: headers)
    }

    private static func problem(_ error: any Error) throws -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as any ProblemConvertible: error.problem
        default: throw error
        }
    }

    private static let proofField = HTTPField.Name("DPoP") ?? .authorization
    private static let nonceField = HTTPField.Name("DPoP-Nonce") ?? .wwwAuthenticate
}

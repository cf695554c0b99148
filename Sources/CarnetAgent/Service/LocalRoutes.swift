import CarnetClient
internal import CarnetAttester
internal import CarnetResult
internal import CarnetService
internal import Foundation
internal import HTTPTypes
internal import StrictEncoding

/// What local programs can ask over the socket: `GET /v1/passport`, `POST /v1/proofs`, `GET /v1/status`.
struct LocalRoutes: Sendable {
    let keeper: PassportKeeper
    let rules: PeerRules
    let rates: LocalRates
    let status: @Sendable (KeeperStatus) -> [UInt8]

    /// The longest body of a request, in bytes.
    private static let maximumByteCount = 8192

    var all: [Route] {
        [
            Route(.get, "/v1/passport", access: .public) { request in
                try admit(request, .passport)
                return ServiceResponse(.ok, "application/jwt", try await passport())
            },
            Route(
                .post, "/v1/proofs", access: .public, accepts: ["application/json"], upTo: Self.maximumByteCount
            ) { request in
                try admit(request, .proofs)
                return try await proof(request)
            },
            Route(.get, "/v1/status", access: .public) { request in
                try admit(request, .status)
                return .json(status(await keeper.present))
            },
        ]
    }

    /// The socket's caller, judged by what the kernel says of it.
    private func admit(_ request: ServiceRequest, _ call: LocalCall) throws {
        guard let peer = request.peer, rules.admits(peer, to: call) else {
            throw Problem(
                "forbidden", .forbidden, title: "The caller may not ask for this",
                detail:
                    "No rule of the agent admits user \(request.peer.map { "\($0.user)" } ?? "?") to \(call.rawValue). Its operator can, as --allow \(call.rawValue)=user:NAME.",
                cause: request.peer.map { "user \($0.user), process \($0.process)" })
        }
        try rates.admit(peer.user, call)
    }

    private func passport() async throws -> [UInt8] {
        do {
            return try await keeper.passport().token
        } catch {
            throw Self.problem(error.status)
        }
    }

    private func proof(_ request: ServiceRequest) async throws -> ServiceResponse {
        let object = try RequestObject(request.body)
        try object.requireOnly(["method", "url", "nonce"])
        let method = try object.string("method", upTo: 32), url = try object.string("url", upTo: 2048)
        let nonce = try object.optionalString("nonce", upTo: 512)
        guard let proven = ProvenRequest(method: method, checking: url) else {
            throw Problem.malformed(
                "A method in capitals and an absolute URL are needed, as GET and https://vault.example/secrets/1.")
        }
        // In the machine's name a disk's key could be replaced or forgotten.
        let isOwn = [0, geteuid()].contains(request.peer?.user ?? .max)
        guard isOwn || !Self.mayBeAboutEscrow(url) else {
            throw Problem(
                "forbidden", .forbidden, title: "The caller may not ask for this",
                detail: "Calls about disk keys in escrow are for root and the agent's own user.")
        }
        do {
            let proof = try await keeper.prove(proven, nonce: nonce)
            return .json(
                JSONWriter.object { writer in
                    writer.string("proof", String(decoding: proof.proof, as: UTF8.self))
                    writer.string("passport", String(decoding: proof.passport, as: UTF8.self))
                })
        } catch let error as PassportKeeper.NoPassport {
            throw Self.problem(error.status)
        } catch let error as TPMDeviceError where error.code == .stateChanged {
            throw Problem(
                "state-changed", .serviceUnavailable, title: "The passport's key works no more",
                detail:
                    "The machine is no longer in the state to which the passport's key is bound. The agent attests again.",
                headers: [.retryAfter: "5"])
        } catch let error as TPMDeviceError {
            throw Problem.unavailable("The TPM does not answer now.", cause: error.description)
        }
    }

    /// Whether a server may read a URL as one of disk keys: also where parts of it are percent-encoded, and where they cannot be decoded.
    static func mayBeAboutEscrow(_ url: String) -> Bool {
        guard let once = url.removingPercentEncoding else { return true }
        return [url, once, once.removingPercentEncoding ?? once].contains { $0.lowercased().contains("/escrow/") }
    }

    /// 503, and why.
    private static func problem(_ status: KeeperStatus) -> Problem {
        let detail =
            switch status.state {
            case .unenrolled: "The machine is not enrolled yet."
            case .pendingApproval: "No operator has approved the machine yet."
            case .refused: "The verifier refused the machine: it is not what the policy allows."
            case .failing:
                "There is no passport that is still good, and the verifier cannot be asked: \(status.failure ?? "")"
            case .fresh, .renewing: "The verifier is being asked."
            }
        var problem = Problem(
            "no-passport", .serviceUnavailable, title: "There is no passport now", detail: detail,
            headers: [.retryAfter: String(min(max(status.nextIn ?? 1, 1), 60))])
        problem.isExpected = true
        let findings = status.findings, word = status.state.word
        problem.extensions = { writer in
            writer.string("state", word)
            StatusDocument.findings(findings, to: &writer)
        }
        return problem
    }
}

extension ProvenRequest {
    /// A request whose method and URL can be those of one; `nil` otherwise.
    init?(method: String, checking url: String) {
        guard !method.isEmpty, method.utf8.allSatisfy({ (0x41...0x5A).contains($0) || $0 == 0x2D }),
            url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let scheme = url.firstRange(of: "://"),
            ["http", "https"].contains(url[..<scheme.lowerBound].lowercased()),
            let first = url[scheme.upperBound...].first, !["/", "?", "#"].contains(first)
        else { return nil }
        self.init(method: method, uri: url)
    }
}

import CarnetRecords
import CarnetRelyingParty
import CarnetResult
import CarnetService
import CarnetTrustRefresh
import HTTPTypes
import Logging
import StrictEncoding

/// `/kbs/v0/…`: the CoCo KBS protocol 0.4.0 for key-broker clients on machines with a TPM.
struct KeyBrokerRoutes: Sendable {
    let attester: KeyBrokerAttester
    let releases: Releases
    let trust: TrustRefresher
    let rates: RateLimiter?
    let clock: WallClock
    let queue: WorkQueue

    /// The longest evidence, in bytes.
    static let maximumByteCount = 65_536

    var routes: [Route] {
        [
            Route(.post, "/kbs/v0/auth", access: .attester, accepts: ["application/json"], upTo: 4096) { request in
                try await Self.answer(.attestationError) {
                    try KeyBrokerRequest.check(request.body)
                    let cookie = attester.sessions.begin()
                    return .json(
                        JSONWriter.object { writer in
                            writer.string("nonce", Base64.encode(cookie.nonce))
                            writer.string("extra-params", "")
                        }
                    ).setting(cookie, at: clock.now)
                }
            }.inKeyBrokerWords(.attestationError),
            Route(
                .post, "/kbs/v0/attest", access: .attester, accepts: ["application/json"], upTo: Self.maximumByteCount
            ) { request in
                try await Self.answer(.attestationError) {
                    guard let cookie = KeyBrokerCookie(request.headers, attester.sessions.key) else {
                        throw KeyBrokerError(
                            .attestationError, "There is no such session. Begin with POST /kbs/v0/auth.")
                    }
                    let token = try await attester.attest(cookie, request.body)
                    return .json(JSONWriter.object { $0.string("token", String(decoding: token, as: UTF8.self)) })
                        .setting(cookie, at: clock.now)
                }
            }.queued(in: queue).inKeyBrokerWords(.attestationError),
            Route(.get, "/kbs/v0/resource/{repository}/{type}/{tag}", access: .attester) { request in
                try await Self.answer(.policyDeny) { try await resource(request) }
            }.queued(in: queue).inKeyBrokerWords(.policyDeny),
        ]
    }

    private func resource(_ request: ServiceRequest) async throws -> ServiceResponse {
        let name = SecretName(
            try request.pathParameter("repository"), try request.pathParameter("type"),
            try request.pathParameter("tag"))
        guard let name else { throw KeyBrokerError(.invalidRequestPath, "A resource is repository/type/tag.") }
        let (token, attestedAt) = try await token(of: request)
        let result: VerifiedResult
        do {
            result = try await trust.verify(token)
        } catch {
            if let problem = trust.problem(of: error, at: clock.now) { throw problem }
            throw KeyBrokerError(.tokenVerifierError, error.reason)
        }
        // Whoever holds a passport of the other kind proves more than this protocol lets them.
        guard let bound = result.submodules[AttestationResult.submodule]?.encryptionKey,
            bound.key.thumbprint == result.keyThumbprint
        else { throw KeyBrokerError(.tokenVerifierError, "The token is not one that this protocol gives.") }
        if let seconds = rates?.take(RateKey(kind: 5, Array(result.subject.utf8))) {
            throw Problem.tooManyRequests("This machine", retryAfter: seconds, cause: .nodeRate)
        }
        let isFresh = attestedAt.map { clock.now - $0 <= FreshEvidence.lifetime } ?? false
        let released = try await releases.give(
            .secret(name, releases.wrapping), to: result, as: .kbs, isFresh: isFresh, model: "kbs"
        ) { secret, minimum, now in
            guard now < result.expiresAt else { throw KeyBrokerError(.tokenVerifierError, "The token expired.") }
            guard bound.protection >= minimum else {
                throw KeyBrokerError(.policyDeny, "The key is kept less well than is demanded.")
            }
            do {
                return try FlattenedMessage.seal(secret, to: bound.key)
            } catch {
                throw KeyBrokerError(.jweError, "The secret cannot be encrypted to the attested key.")
            }
        }
        request.logger.notice(
            "secret released",
            metadata: [
                "secret": .string(name.description), "version": .stringConvertible(released.version),
                "protocol": "kbs",
            ])
        return .json(released.message)
    }

    /// The token that a request stands on: its own, or its session's, with the time at which the session attested.
    private func token(of request: ServiceRequest) async throws -> (token: [UInt8], attestedAt: Int64?) {
        let fields = request.headers[values: .authorization]
        if !fields.isEmpty {
            let parts = fields[0].split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count == 1, parts.count == 2, parts[0].lowercased() == "bearer", parts[1].utf8.count <= 16_384
            else { throw KeyBrokerError(.tokenNotFound, "Authorization is one Bearer token, or absent.") }
            return (Array(parts[1].utf8), nil)
        }
        guard let cookie = KeyBrokerCookie(request.headers, attester.sessions.key),
            let attested = try await attester.sessions.attested(cookie)
        else {
            throw KeyBrokerError(.tokenNotFound, "There is no session that attested. Begin with POST /kbs/v0/auth.")
        }
        return (attested.token, attested.time)
    }

    /// Answers as the protocol does, also what it was refused for elsewhere.
    ///
    /// - Parameter name: The protocol's word for what is refused elsewhere.
    static func answer(
        _ name: KeyBrokerError.Name, _ body: () async throws -> ServiceResponse
    ) async throws -> ServiceResponse {
        do {
            return try await body()
        } catch let error as KeyBrokerError {
            return error.response
        } catch let problem as Problem where problem.slug == Problem.freshEvidenceRequired.slug {
            return KeyBrokerError(
                .policyDeny, "Evidence is wanted at this moment: attest in a new session, and ask again at once."
            ).response
        } catch let problem as Problem where problem.cause == nil {
            return KeyBrokerError(problem, name).response
        }
    }
}

extension ServiceResponse {
    /// The same, with a session's cookie.
    fileprivate func setting(_ cookie: KeyBrokerCookie, at now: Int64) -> ServiceResponse {
        var response = self
        response.headers[.setCookie] = cookie.field(at: now)
        return response
    }
}

extension WorkQueue.Size {
    /// In front of appraisals and releases that key-broker clients ask for.
    static let keyBrokerClients = WorkQueue.Size(running: 32, waiting: 256, seconds: 30, runningPerClient: 16)
}

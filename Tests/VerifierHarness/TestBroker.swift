package import CarnetRelyingParty
import CarnetResult
import CarnetSealing
import CarnetService
import HTTPTypes
import Logging
import ServiceHarness
package import StrictEncoding
package import Synchronization

/// A broker that keeps its state in memory, checks passports and proofs as relying parties do, and releases to whoever the policy lets.
package final class TestBroker: Sendable {
    /// A version of a volume's key.
    package struct Version: Sendable {
        package let number: Int64
        package let blob: [UInt8]
        package let recovery: String?

        package init(number: Int64, blob: [UInt8], recovery: String?) {
            (self.number, self.blob, self.recovery) = (number, blob, recovery)
        }
    }

    /// What it keeps, and how it behaves.
    package struct State: Sendable {
        /// By subject and volume, newest first.
        package var escrows: [String: [Version]] = [:]
        package var sealings: [String: String] = [:]
        package var secrets: [String: [UInt8]] = [:]
        /// Whether it releases anything.
        package var releases = true
        /// Whether it wants fresh evidence first.
        package var wantsEvidence = false
        /// The evidence that came.
        package var evidence: [JSONNode] = []
        /// The methods and paths that were served.
        package var log: [String] = []
        /// Called before each request is served; may end the caller.
        package var onRequest: (@Sendable (_ number: Int, _ call: String) -> Void)?
        fileprivate var version: Int64 = 0
    }

    package let state = Mutex(State())
    private let verifier: PassportVerifier
    private let base = Mutex("")
    private let nonces = ProofNonces()

    /// A broker that takes the passports that a relying party takes.
    package init(_ verifier: PassportVerifier) { self.verifier = verifier }

    /// Everything that it knows, as one text: what a thief of its database has.
    package var everything: String { state.withLock { "\($0.escrows) \($0.secrets)" } }

    /// Runs it while `body` does what it does with its URL.
    package func run<Value: Sendable>(_ body: @Sendable (String) async throws -> Value) async throws -> Value {
        guard let address = ListenAddress("127.0.0.1:0") else { throw CancellationError() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try await RunningService.with(
            { onListening in
                try HTTPService(
                    self.routes, authenticator: Nobody(), address: address, security: .plainHTTP, logger: logger,
                    onListening: onListening)
            },
            { client in
                let url = "http://127.0.0.1:\(client.port)"
                self.base.withLock { $0 = url }
                return try await body(url)
            })
    }

    private struct Nobody: Authenticator {
        func principal(holding token: String) async throws -> Principal? { nil }
    }

    private var now: Int64 { Office.now }

    /// Runs a handler for a caller whose passport and proof are good; every answer has the next nonce.
    private func route(
        _ method: HTTPRequest.Method, _ path: String, hasBody: Bool = true,
        _ handler: @escaping @Sendable (ServiceRequest, ProvenResult) throws -> ServiceResponse
    ) -> Route {
        let serve: Route.Handler = { request in
            let target = try Self.path(path, request)
            let (number, hook) = self.state.withLock { state in
                state.log.append("\(method.rawValue) \(target)")
                return (state.log.count, state.onRequest)
            }
            hook?(number, "\(method.rawValue) \(target)")
            let now = self.now, nonce = HTTPField.Name("DPoP-Nonce")
            func completed(_ fields: HTTPFields) -> HTTPFields {
                var fields = fields
                if let nonce { fields[nonce] = self.nonces.current(at: now) }
                return fields
            }
            let presented = PresentedRequest(
                method: method.rawValue, uri: self.base.withLock { $0 } + target,
                authorization: request.headers[values: .authorization],
                proofs: HTTPField.Name("DPoP").map { request.headers[values: $0] } ?? [])
            do {
                let caller = try self.verifier.prove(presented, nonces: self.nonces, at: now)
                var response = try handler(request, caller)
                response.headers = completed(response.headers)
                return response
            } catch let refusal as RequestRefusal {
                var fields: HTTPFields = [:]
                for (name, value) in refusal.headerFields {
                    if let name = HTTPField.Name(name) { fields[name] = value }
                }
                throw Problem(
                    "refused", HTTPResponse.Status(code: refusal.status), title: "Refused", detail: "\(refusal)",
                    headers: completed(fields))
            } catch var problem as Problem {
                problem.headers = completed(problem.headers)
                throw problem
            }
        }
        return hasBody
            ? Route(method, path, access: .attester, accepts: ["application/json"], upTo: 1 << 20, handler: serve)
            : Route(method, path, access: .attester, handler: serve)
    }

    private static func path(_ template: String, _ request: ServiceRequest) throws -> String {
        try template.split(separator: "/").map { part in
            part.hasPrefix("{") ? "/" + (try request.pathParameter(String(part.dropFirst().dropLast()))) : "/" + part
        }.joined()
    }

    private static func body(_ request: ServiceRequest) throws -> JSONNode {
        try JSONDocument(parsing: request.body, maximumByteCount: 1 << 20).root
    }

    /// Whether this caller may have something now.
    private func admit(_ request: ServiceRequest) throws {
        let root = try Self.body(request)
        let (releases, wants) = state.withLock { state in
            if let evidence = root["evidence"], root["challenge"]?.string == "c-1" { state.evidence.append(evidence) }
            return (state.releases, state.wantsEvidence && root["evidence"] == nil)
        }
        guard releases else {
            throw Problem("release-denied", .forbidden, title: "Not released", detail: "No policy allows it.")
        }
        if wants {
            throw Problem(
                "fresh-evidence-required", .forbidden, title: "Evidence is wanted", detail: "Get a challenge.")
        }
    }

    private var routes: [Route] {
        [
            route(.post, "/release/v1/challenges") { _, _ in
                let nonce = Base64URL.encode([UInt8](repeating: 9, count: 32))
                let selection = #"[{"bank":"sha256","pcrs":[0,4,7]}]"#
                return .json(
                    Array(
                        #"{"id":"c-1","nonce":"\#(nonce)","pcr_selection":\#(selection),"state_pcr_selection":\#(selection)}"#
                            .utf8), status: .created)
            },
            route(.post, "/release/v1/secrets/{repository}/{type}/{tag}") { request, caller in
                try self.admit(request)
                let name = try ["repository", "type", "tag"].map(request.pathParameter).joined(separator: "/")
                guard let secret = self.state.withLock({ $0.secrets[name] }) else {
                    throw Problem("release-denied", .forbidden, title: "Not released", detail: "No policy allows it.")
                }
                let isImport = try Self.body(request)["form"]?.string == "tpm-import"
                let sealed = try SecretGrant.seal(secret, to: caller, as: isImport ? .tpmImport : .jwe, at: self.now)
                return ServiceResponse(.ok, isImport ? ImportMessage.mediaType : "application/jose", sealed)
            },
            route(.put, "/escrow/v1/volumes/{volume}") { request, caller in
                let root = try Self.body(request), key = try Self.key(request, caller)
                guard let blob = root["blob"]?.string.flatMap({ Base64URL.decode($0) }), (1...4096).contains(blob.count)
                else { throw Problem.malformed("blob is none", member: "blob") }
                let number = self.state.withLock { state in
                    state.version += 1
                    let version = Version(number: state.version, blob: blob, recovery: root["recovery"]?.string)
                    // The version before is kept, too: the machine may die before the volume has the new key.
                    state.escrows[key] = [version] + (state.escrows[key] ?? []).prefix(3)
                    return state.version
                }
                return .json(
                    Array(#"{"volume":"v","version":\#(number),"escrowed_at":\#(self.now)}"#.utf8), status: .created)
            },
            route(.post, "/escrow/v1/volumes/{volume}/release") { request, caller in
                try self.admit(request)
                let volume = try request.pathParameter("volume")
                let versions = self.state.withLock { $0.escrows["\(caller.result.subject)/\(volume)"] ?? [] }
                guard !versions.isEmpty else {
                    throw Problem("no-escrow", .notFound, title: "None", detail: "None is kept.")
                }
                let text = JSONWriter.object { writer in
                    writer.string("volume", volume)
                    writer.array("versions") { writer in
                        for version in versions {
                            writer.object { writer in
                                writer.integer("version", version.number)
                                writer.base64URL("blob", version.blob)
                            }
                        }
                    }
                }
                return ServiceResponse(.ok, "application/jose", try SecretGrant.seal(text, to: caller, at: self.now))
            },
            route(.delete, "/escrow/v1/volumes/{volume}/versions/{number}", hasBody: false) { request, caller in
                let key = try Self.key(request, caller), number = Int64(try request.pathParameter("number"))
                let isLast = self.state.withLock { state in
                    guard (state.escrows[key] ?? []).count > 1 else { return true }
                    state.escrows[key]?.removeAll { $0.number == number }
                    return false
                }
                if isLast { throw Problem.conflict("last-version", title: "The last", "It is the last one.") }
                return .noContent
            },
            route(.put, "/escrow/v1/volumes/{volume}/sealing") { request, caller in
                let pcrs = try Self.body(request)["pcrs"]?.string, key = try Self.key(request, caller)
                self.state.withLock { $0.sealings[key] = pcrs }
                return .noContent
            },
        ]
    }

    private static func key(_ request: ServiceRequest, _ caller: ProvenResult) throws -> String {
        "\(caller.result.subject)/\(try request.pathParameter("volume"))"
    }
}

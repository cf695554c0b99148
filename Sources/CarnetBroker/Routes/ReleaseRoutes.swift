import Logging
import CarnetRecords
import CarnetService
import HTTPTypes
import StrictEncoding

/// `/release/v1/…`: machines ask for secrets.
struct ReleaseRoutes: Sendable {
    let calls: MachineCalls
    let releases: Releases
    let fresh: FreshEvidence

    /// The longest body with evidence.
    static let maximumByteCount = 16 << 20

    var routes: [Route] {
        [
            calls.route(.post, "/release/v1/challenges", upTo: 1024) { request, caller in
                let body = try RequestObject(request.body)
                try body.requireOnly(["ak"])
                let key = Base64URL.encode(try body.bytes("ak", 2...66))
                let (id, nonce, requirements) = try await fresh.ask(caller, key: key)
                return .json(
                    JSONWriter.object { writer in
                        writer.string("id", id)
                        writer.base64URL("nonce", nonce)
                        for (name, value) in requirements.members ?? [] where name != "nonce" && name != "id" {
                            writer.json(named: name, value.text)
                        }
                    }, status: .created)
            },
            calls.route(
                .post, "/release/v1/secrets/{repository}/{type}/{tag}", upTo: Self.maximumByteCount
            ) { request, caller in
                let body = try RequestObject(request.body, maximumDepth: 6)
                try body.requireOnly(["form", "challenge", "evidence"])
                let form = try Self.form(body)
                let name = SecretName(
                    try request.pathParameter("repository"), try request.pathParameter("type"),
                    try request.pathParameter("tag"))
                guard let name else { throw Problem.releaseDenied([ReleaseDecision.nobodys]) }
                let released = try await releases.release(
                    .secret(name, releases.wrapping), to: caller, as: form, with: try Self.answer(body))
                request.logger.notice(
                    "secret released",
                    metadata: ["secret": .string(name.description), "version": .stringConvertible(released.version)])
                var response = ServiceResponse(
                    .ok, form == .tpmImport ? "application/vnd.carnet.tpm-import+json" : "application/jose",
                    released.message)
                if let field = HTTPField.Name("Carnet-Secret-Version") {
                    response.headers[field] = String(released.version)
                }
                return response
            },
        ]
    }

    private static func form(_ body: RequestObject) throws(Problem) -> ReleasePolicy.Form {
        guard let text = try body.optionalString("form", upTo: 32) else { return .jwe }
        guard let form = ReleasePolicy.Form(rawValue: text), form != .kbs else {
            throw .malformed("The forms are jwe and tpm-import.", member: "form")
        }
        return form
    }

    /// Evidence for this request, where there is some: both members, or none.
    static func answer(_ body: RequestObject) throws(Problem) -> FreshEvidence.Answer? {
        let challenge = try body.optionalString("challenge", upTo: 64)
        guard challenge != nil || body.node["evidence"] != nil else { return nil }
        guard let challenge else {
            throw .malformed("The challenge that the evidence answers is missing.", member: "challenge")
        }
        return FreshEvidence.Answer(challenge: challenge, evidence: try body.object("evidence").node)
    }
}

extension Releases.Item {
    /// A secret.
    static func secret(_ name: SecretName, _ wrapping: KeyEncryptionKey) -> Releases.Item {
        Releases.Item(
            name: name.description, covers: { $0.covers(name) }, open: { try SecretStore.open(name, wrapping, in: $0) },
            // What does not exist is answered as what is refused: nobody learns names by asking.
            missing: .releaseDenied([ReleaseDecision.nobodys]))
    }
}

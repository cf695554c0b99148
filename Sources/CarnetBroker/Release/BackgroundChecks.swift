import CarnetClient
import CarnetService
import Foundation
import StrictEncoding

/// Asks a verifier about evidence: the one thing for which the broker needs it.
struct BackgroundChecks: Sendable {
    let settings: BackgroundCheckSettings

    /// What the verifier wants of a machine: the members of its answer, to hand on.
    ///
    /// - Parameter key: The name of the machine's attestation key, in base64url.
    func requirements(ofKey key: String) async throws -> JSONNode {
        try await ask("GET", "/background-check/v1/requirements?ak=" + key, nil)
    }

    /// The verifier's signed result for evidence over a nonce, or what it found.
    func appraise(_ evidence: JSONNode, nonce: [UInt8]) async throws -> (token: [UInt8]?, findings: [String]) {
        let body = JSONWriter.object { writer in
            writer.base64URL("nonce", nonce)
            writer.json("evidence", evidence.text)
        }
        return try await appraise(body)
    }

    /// The same for what a key-broker client sent: `runtime-data` and `tee-evidence`, as they came.
    func appraise(
        runtimeData: JSONNode, evidence: JSONNode, nonce: [UInt8]
    ) async throws -> (token: [UInt8]?, findings: [String]) {
        let body = JSONWriter.object { writer in
            writer.base64URL("nonce", nonce)
            writer.object("kbs_evidence") { writer in
                writer.json("runtime-data", runtimeData.text)
                writer.json("tee-evidence", evidence.text)
            }
        }
        return try await appraise(body)
    }

    private func appraise(_ body: [UInt8]) async throws -> (token: [UInt8]?, findings: [String]) {
        let answer = try await ask("POST", "/background-check/v1/appraisals", body)
        let findings = (answer["findings"]?.elements ?? []).prefix(8).compactMap { $0["description"]?.string }
        return (answer["result"]?.string.map { Array($0.utf8) }, findings)
    }

    private func ask(_ method: String, _ path: String, _ body: [UInt8]?) async throws -> JSONNode {
        do {
            // The token is read each time, so that another one counts at once.
            guard let data = FileManager.default.contents(atPath: settings.tokenFile), data.count <= 1024 else {
                throw Problem.unavailable(
                    "The verifier cannot be asked.", cause: "\(settings.tokenFile) cannot be read")
            }
            let token = String(decoding: data, as: UTF8.self).split { $0.isNewline || $0 == " " }.first.map(String.init)
            let connection = try ServiceConnection(
                settings.url, allowPlainHTTP: settings.allowsPlainHTTP, authorityFile: settings.authorityFile,
                token: token)
            let result: Result<ServiceConnection.Answer, any Error>
            do {
                result = .success(
                    try await connection.send(
                        method, path, contentType: body == nil ? nil : "application/json", body: body))
            } catch {
                result = .failure(error)
            }
            await connection.close()
            return try JSONDocument(parsing: try result.get().body, maximumByteCount: 4 << 20).root
        } catch let problem as Problem {
            throw problem
        } catch let failure as ServiceConnection.Failure where failure.code == .refused && failure.status == 400 {
            throw Problem.malformed("The verifier cannot read the evidence: \(failure.description)", member: "evidence")
        } catch {
            throw Problem.unavailable(
                "The verifier cannot be asked now, and this secret is given out only when it can.", cause: "\(error)")
        }
    }
}

/// Which verifier, and as whom.
package struct BackgroundCheckSettings: Sendable, Hashable {
    package var url: String
    /// The file of an API token with the role relying-party, whose name is the broker's audience.
    package var tokenFile: String
    package var authorityFile: String?
    package var allowsPlainHTTP: Bool

    /// Settings.
    package init(url: String, tokenFile: String, authorityFile: String? = nil, allowsPlainHTTP: Bool = false) {
        self.url = url
        self.tokenFile = tokenFile
        self.authorityFile = authorityFile
        self.allowsPlainHTTP = allowsPlainHTTP
    }
}

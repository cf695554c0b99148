internal import CarnetClient
package import CarnetEvidence
package import StrictEncoding
package import TPM2

extension AttesterClient {
    /// The rule of a finding by which a verifier says that the part of the IMA list does not continue what it knows.
    private static let continuityRule = "ima-continuity"

    /// Opens a session, gathers the evidence that it asks for, and hands it in.
    ///
    /// When the verifier cannot go on from the part of the IMA list that it asked for, it is asked once for a session that wants the
    /// whole list; whatever it says then is the answer.
    ///
    /// - Parameter audience: Whom the passport is for, one of the verifier's audiences; `nil` for all of them.
    /// - Throws: ``LogError`` when a log that the verifier wants cannot be read; then nothing is sent.
    public func attest(
        _ collector: EvidenceCollector, logs: LogSources, audience: String? = nil
    ) async throws -> Attested {
        let answer = try await exchange(collector, logs, audience, wholeIMAList: false)
        let attested = answer.attested
        guard answer.status == "failed",
            attested.findings.contains(where: { $0.rule == Self.continuityRule })
        else { return attested }
        return try await exchange(collector, logs, audience, wholeIMAList: true).attested
    }

    private func exchange(
        _ collector: EvidenceCollector, _ logs: LogSources, _ audience: String?, wholeIMAList: Bool
    ) async throws -> (status: String?, attested: Attested) {
        let name = try collector.attestationKeyName()
        let query = "?nonceSize=32&ak=" + Base64URL.encode(name.bytes) + (wholeIMAList ? "&ima=whole" : "")
        let session = try await connection.send("POST", "/challenge-response/v1/newSession" + query)
        let challenge = try object(session)
        guard let path = session.location.flatMap(Self.sessionPath), let nonce = challenge["nonce"].flatMap(Self.bytes),
            let selection = challenge["pcr_selection"].flatMap(Self.selection)
        else { throw Unreadable(description: "The verifier's session lacks its location, nonce or PCR selection.") }
        var requirements = try Self.requirements(challenge)
        if wholeIMAList { requirements.imaOffset = 0 }
        let evidence = try collector.collect(
            nonce: nonce, selection: selection, stateSelection: Self.stateSelection(challenge, collector.binding),
            requirements: requirements, logs: logs)
        let answer = try await object(
            connection.send(
                "POST", path + Self.audienceQuery(audience), contentType: Evidence.mediaType, body: evidence.bytes))
        var attested = try Self.attested(answer)
        attested.quoted = evidence.pcrs
        return (answer["status"]?.string, attested)
    }

    /// The PCRs to which keys are bound that follow the machine's state; `nil` for keys that do not.
    package static func stateSelection(
        _ root: JSONNode, _ binding: KeyBinding
    ) throws(Unreadable) -> TPM.PCRSelectionList? {
        guard binding.followsState else { return nil }
        guard let selection = root["state_pcr_selection"].flatMap(selection) else {
            throw Unreadable(
                description:
                    "The verifier names no PCRs to which keys could be bound (state_pcr_selection): it has no policy for this machine, or is too old. Give it a policy that names PCRs (`carnet policy activate`). Only a passport whose keys follow no state can be had without (`carnet-agent attest --key-protection tpm`)."
            )
        }
        return selection
    }

    /// Which logs an answer of the verifier wants.
    package static func requirements(_ root: JSONNode) throws(Unreadable) -> EvidenceRequirements {
        do {
            return try EvidenceRequirements(root)
        } catch {
            throw Unreadable(
                description: "The verifier's requirements cannot be read: \(error). Is this agent too old?")
        }
    }

    /// Reads `result` and `findings` of an answer.
    package static func attested(_ root: JSONNode) throws -> Attested {
        let findings = try (root["findings"]?.elements ?? []).map(Finding.init)
        let token = root["result"]?.string.map { Array($0.utf8) }
        guard token != nil || !findings.isEmpty else {
            throw Unreadable(description: "The verifier gave neither a result nor a reason.")
        }
        return Attested(token: token, findings: findings)
    }

    /// The query that names an audience, every byte that is not a letter or a digit percent-encoded.
    private static func audienceQuery(_ audience: String?) -> String {
        guard let audience else { return "" }
        return "?audience="
            + audience.utf8.map { byte in
                let isPlain = pathComponent(String(UnicodeScalar(byte))) != nil
                return isPlain ? String(UnicodeScalar(byte)) : "%" + Hexadecimal.encode([byte]).uppercased()
            }.joined()
    }

    /// Where the answer to a challenge goes: `session/…` beside the call that made it, and nowhere else.
    private static func sessionPath(_ location: String) -> String? {
        guard location.hasPrefix("session/") else { return nil }
        return pathComponent(String(location.dropFirst("session/".count))).map {
            "/challenge-response/v1/session/" + $0
        }
    }
}

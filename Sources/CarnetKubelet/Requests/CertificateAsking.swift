internal import CarnetAttester
internal import CarnetResult
internal import Cryptography
internal import KubernetesAPI
internal import Logging
internal import NodeAdmission

/// Asks for one certificate: a fresh key, a passport that is bound to it, a request, and patience.
struct CertificateAsking: Sendable {
    let node: String
    let signer: NodeCertificateRequest.Signer
    /// In seconds.
    let life: Int64
    let asksKeyEncipherment: Bool
    let machine: KubeletMachine
    let logger: Logger

    /// Asks with somebody's credential: a bootstrap token's, or the node's own.
    ///
    /// - Throws: ``KubeletError``.
    func ask(
        _ client: KubernetesClient, alternativeNames: CertificateRequest.AlternativeNames = .init(), until end: Int64
    ) async throws -> NodeCredential {
        let key = try PrivateKey.generate()
        let passport = try await machine.passport(boundTo: try JSONWebKey(key.publicKey))
        let request = try SigningRequest(
            signer, node: node, key: key, showing: passport.token, alternativeNames: alternativeNames, life: life,
            asksKeyEncipherment: asksKeyEncipherment)
        try await client.create(.certificateSigningRequests, request.object)
        logger.notice(
            "asked for a certificate; waiting until somebody approves it",
            metadata: ["request": .string(request.name), "signer": .string(signer.rawValue)])
        // Once the passport has expired, nobody approves any more.
        let patience = min(end, machine.clock.monotonic() + passport.lifetime * 1000)
        let certificate = try await wait(for: request.name, client, until: patience)
        do throws(NodeCredential.Unusable) {
            return try NodeCredential(certificates: certificate, key: key, node: node)
        } catch { throw KubeletError(.certificate, error.description) }
    }

    /// The certificate, PEM.
    private func wait(
        for name: String, _ client: KubernetesClient, until end: Int64
    ) async throws -> [UInt8] {
        var last = SigningProgress.undecided, pause: Int64 = 250
        while true {
            var answer: SigningProgress?
            do throws(KubernetesError) {
                answer = SigningProgress(try await client.get(.certificateSigningRequests, name))
            } catch {
                if error.code == .notFound { throw KubeletError(.removed, "The request \(name) was removed.") }
                guard error.mayHeal, error.code != .forbidden, error.code != .unauthorized else { throw error }
            }
            switch answer {
            case .issued(let certificate)?: return certificate
            case .denied(let reason, let message)?:
                throw KubeletError(.denied, "The request \(name) was denied (\(reason)): \(message)")
            case .failed(let reason, let message)?:
                throw KubeletError(
                    .denied, "The request \(name) was approved and could not be signed (\(reason)): \(message)")
            case .approved? where last == .undecided:
                logger.info("approved; waiting until it is signed", metadata: ["request": .string(name)])
                last = .approved
            default: break
            }
            guard machine.clock.monotonic() + pause < end else {
                let what =
                    last == .approved
                    ? "approved, but not signed: does the cluster's kube-controller-manager run?"
                    : "not decided about: does carnet-admission run, and does it look at \(signer.rawValue)?"
                throw KubeletError(.patience, "The request \(name) was \(what)")
            }
            try await machine.clock.sleep(pause)
            pause = min(pause * 2, 5000)
        }
    }
}

public import CarnetRelyingParty
internal import CarnetResult
internal import Cryptography

extension AdmissionRules {
    /// Decides about a request: first by what it says and who asks, then by its signature, then by its passport.
    ///
    /// What never can be right is denied. Where the fault is the cluster's own and may pass, a key set or a status list that is missing
    /// or too old, the answer is to wait, until the passport would have expired in any case. That a passport serves one request of each
    /// signer only (``AdmittedNode/tokenID``) is for the caller to see to.
    ///
    /// - Parameters:
    ///   - verifier: Checks passports for this cluster (``expectations(issuer:audience:)``), with the keys and lists at hand.
    ///   - now: Seconds since 1970.
    ///   - known: What the cluster says of the node's addresses; needed for serving certificates only.
    public func decide(
        _ request: NodeCertificateRequest, by verifier: PassportVerifier, at now: Int64, known: KnownNode? = nil
    ) -> NodeDecision {
        do throws(Denial) {
            let presented = try PresentedRequest(request)
            try checkRequester(of: request, for: presented.node)
            try checkUsages(of: request)
            try checkLife(of: request)
            try checkNames(in: presented, request.signer)
            guard presented.certificateRequest.isSignedByItsKey else {
                throw Denial(
                    .signatureWrong, "The holder of the key did not sign the request",
                    nextStep: "Sign it with the key that is to be certified, ECDSA with SHA-256")
            }
            let verified: VerifiedResult
            do throws(Refusal) {
                verified = try verifier.verify(presented.passport, at: now)
            } catch {
                return answer(to: error, presented.passport, request, verifier, at: now)
            }
            try checkMachine(verified, presented)
            if let wait = try checkAddresses(of: presented, request.signer, known) { return .wait(wait) }
            return .admit(
                AdmittedNode(
                    node: presented.node, subject: verified.subject, tokenID: verified.tokenID,
                    keyThumbprint: verified.keyThumbprint, passportIssuedAt: verified.issuedAt,
                    passportExpiresAt: verified.expiresAt))
        } catch {
            return .deny(error)
        }
    }

    /// The passport must be bound to the request's key, and be that of the machine which is this node.
    private func checkMachine(_ verified: VerifiedResult, _ presented: PresentedRequest) throws(Denial) {
        var thumbprint = ""
        if let key = try? JSONWebKey(presented.certificateRequest.publicKey) { thumbprint = key.thumbprint }
        guard !thumbprint.isEmpty, constantTimeEqual(Array(thumbprint.utf8), Array(verified.keyThumbprint.utf8)) else {
            throw Denial(
                .keyNotAttested, "The passport is bound to another key than the request's",
                nextStep: "Attest with the request's key bound, as carnet-agent kubelet does")
        }
        guard let node = names.nodeName(of: verified) else {
            throw Denial(
                .machineNotNamed, "Nobody says which node the machine \(shown(verified.subject)) is",
                nextStep: names.advice(for: presented.node, verified.subject))
        }
        guard PresentedRequest.isEqual(node, presented.node) else {
            throw Denial(
                .machineIsAnotherNode, "The machine is the node \(node), not \(presented.node)",
                nextStep: "Let it ask for its own name; if it was renamed, say so first (\(names.place))")
        }
        guard !verified.tokenID.isEmpty else {
            throw Denial(
                .passportUnreadable, "The passport has no jti, so that it could be shown twice",
                nextStep: "Use a verifier that gives every passport one")
        }
    }

    /// What a refused passport means for the request.
    private func answer(
        to refusal: Refusal, _ passport: [UInt8], _ request: NodeCertificateRequest, _ verifier: PassportVerifier,
        at now: Int64
    ) -> NodeDecision {
        let outage = verifier.outage(at: now)
        guard outage != nil || refusal.mayHeal else { return .deny(Denial(refusal)) }
        let latest = request.createdAt.map { $0 + verifier.expectations.maximumLifetime }
        let ends = [statedExpiry(of: passport), latest].compactMap(\.self).min()
        if let ends, now >= ends + verifier.expectations.clockSkew {
            return .deny(
                Denial(
                    .waitedTooLong,
                    "The passport has run out by its own word, and could not be checked before (\(refusal.code.rawValue))",
                    nextStep: "Let the machine attest again; see that the gate gets the verifier's keys and lists"))
        }
        return .wait(outage.map { Denial(outage: $0) } ?? Denial(refusal))
    }
}

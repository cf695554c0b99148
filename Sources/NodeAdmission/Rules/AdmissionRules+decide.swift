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
                return Self.answer(to: error, presented.passport, verifier, at: now, since: request.createdAt)
            }
            try checkKey(verified, presented)
            try checkMachine(verified, is: presented.node)
            if let wait = try checkAddresses(of: presented, request.signer, known) { return .wait(wait) }
            return .admit(AdmittedNode(presented.node, verified))
        } catch {
            return .deny(error)
        }
    }

    /// Decides about a machine that shows a passport and asks for nothing to be signed: for a cluster that is not Kubernetes.
    ///
    /// Whoever copied the passport can show it. Ask for a proof that the holder has the passport's key (``AdmittedNode/keyThumbprint``), or
    /// let the machine ask for a certificate.
    ///
    /// - Parameters:
    ///   - passport: The compact token, in ASCII.
    ///   - node: The name that the machine is to have.
    public func decide(
        passport: [UInt8], of node: String, by verifier: PassportVerifier, at now: Int64
    ) -> NodeDecision {
        do throws(Denial) {
            guard NodeName.isValid(node) else {
                throw Denial(
                    .nodeNameNotAllowed, "\(shown(node)) is not the name of a node",
                    nextStep: "Ask for a node's name in lower case, as RFC 1123 writes host names")
            }
            let verified: VerifiedResult
            do throws(Refusal) {
                verified = try verifier.verify(passport, at: now)
            } catch {
                return Self.answer(to: error, passport, verifier, at: now, since: nil)
            }
            try checkMachine(verified, is: node)
            return .admit(AdmittedNode(node, verified))
        } catch {
            return .deny(error)
        }
    }

    /// The passport must be bound to the request's key.
    private func checkKey(_ verified: VerifiedResult, _ presented: PresentedRequest) throws(Denial) {
        var thumbprint = ""
        if let key = try? JSONWebKey(presented.certificateRequest.publicKey) { thumbprint = key.thumbprint }
        guard !thumbprint.isEmpty, constantTimeEqual(Array(thumbprint.utf8), Array(verified.keyThumbprint.utf8)) else {
            throw Denial(
                .keyNotAttested, "The passport is bound to another key than the request's",
                nextStep: "Attest with the request's key bound, as carnet-agent kubelet does")
        }
    }

    /// The passport must be that of the machine which is this node.
    private func checkMachine(_ verified: VerifiedResult, is node: String) throws(Denial) {
        guard let name = names.nodeName(of: verified) else {
            throw Denial(
                .machineNotNamed, "Nobody says which node the machine \(shown(verified.subject)) is",
                nextStep: names.advice(for: node, verified.subject))
        }
        guard PresentedRequest.isEqual(name, node) else {
            throw Denial(
                .machineIsAnotherNode, "The machine is the node \(name), not \(node)",
                nextStep: "Let it ask for its own name; if it was renamed, say so first (\(names.place))")
        }
        guard !verified.tokenID.isEmpty else {
            throw Denial(
                .passportUnreadable, "The passport has no jti, so that it could be shown twice",
                nextStep: "Use a verifier that gives every passport one")
        }
    }

    /// What a refused passport means for the request.
    private static func answer(
        to refusal: Refusal, _ passport: [UInt8], _ verifier: PassportVerifier, at now: Int64, since createdAt: Int64?
    ) -> NodeDecision {
        let outage = verifier.outage(at: now)
        guard outage != nil || refusal.mayHeal else { return .deny(Denial(refusal)) }
        let latest = createdAt.map { $0 + verifier.expectations.maximumLifetime }
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

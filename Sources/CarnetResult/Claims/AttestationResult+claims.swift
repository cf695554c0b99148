internal import StrictEncoding

extension AttestationResult {
    /// The claims set as JSON, its members always in the same order.
    public var claimsSet: [UInt8] {
        var writer = JSONWriter(reserving: 1536)
        writer.object { writer in
            writer.string("eat_profile", Self.profile)
            writer.string("iss", issuer)
            writer.string("sub", subject)
            writer.array("aud") { writer in for audience in audience { writer.element(audience) } }
            writer.integer("iat", issuedAt)
            writer.integer("nbf", issuedAt)
            writer.integer("exp", expiresAt)
            writer.string("jti", tokenID)
            writer.base64URL("eat_nonce", nonce)
            writer.object("ear_verifier_id") { writer in
                writer.string("developer", verifierID.developer)
                writer.string("build", verifierID.build)
            }
            writer.string("ear_status", status.rawValue)
            writer.object("cnf") { $0.string("jkt", keyThumbprint) }
            statusReference?.write(to: &writer)
            writer.object("submods") { writer in writer.object("tpm") { appraisal.write(to: &$0, nonce) } }
        }
        return writer.bytes
    }
}

extension SubmoduleAppraisal {
    /// - Parameter nonce: The result's own; the submodule names its nonce only where it is another.
    func write(to writer: inout JSONWriter, _ nonce: [UInt8]) {
        writer.string("ear_status", status.rawValue)
        if !vector.isEmpty {
            writer.object("ear_trustworthiness_vector") { writer in
                for (claim, value) in vector.asserted { writer.integer(named: claim.rawValue, Int64(value)) }
            }
        }
        if !policyIDs.isEmpty {
            writer.array("ear_appraisal_policy_ids") { writer in for policy in policyIDs { writer.element(policy) } }
        }
        if let evidenceNonce, evidenceNonce != nonce { writer.base64URL("eat_nonce", evidenceNonce) }
        if attesterClaims != AttesterClaims() {
            writer.object("ear_attester_claims") { attesterClaims.write(to: &$0) }
        }
        writer.object("ear_verifier_claims") { verifierClaims.write(to: &$0) }
    }
}

extension AttesterClaims {
    func write(to writer: inout JSONWriter) {
        if let secureBoot { writer.boolean("secure_boot", secureBoot) }
        if let resetCount { writer.integer("reset_count", Int64(resetCount)) }
        if let tpmFirmware { writer.string("tpm_firmware", tpmFirmware) }
    }
}

extension VerifierClaims {
    func write(to writer: inout JSONWriter) {
        writer.string("appraisal_depth", depth.rawValue)
        writer.string("key_protection", keyProtection.rawValue)
        if let encryptionKey {
            writer.object("enc_jwk") { encryptionKey.key.writeMembers(to: &$0) }
            writer.string("enc_key_protection", encryptionKey.protection.rawValue)
        }
        writer.array("banks") { writer in for bank in banks { writer.element(bank) } }
        if !nodeLabels.isEmpty {
            writer.object("node_labels") { writer in
                for (name, value) in nodeLabels.sorted(by: { $0.key < $1.key }) { writer.string(named: name, value) }
            }
        }
        if let phases {
            writer.array("phases") { writer in
                for phase in phases.prefix(Self.maximumPhaseCount) { writer.element(phase) }
            }
        }
        state?.write(to: &writer)
    }
}

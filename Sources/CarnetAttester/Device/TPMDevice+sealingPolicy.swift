internal import CTSS2
internal import CarnetEvidence
internal import Cryptography
internal import TPM2

/// How a sealed object's policy is satisfied this time.
enum UnsealingWay {
    /// Its empty password.
    case password
    /// The PCRs as they are; the alternatives of which this is the first, where there are several.
    case state(TPM.PCRSelectionList, [TPM.PolicyDigest])
    /// The PCRs as they are, as a key approved; alternatives as above.
    case approval(PolicyApproval, by: TPM.Public, [TPM.PolicyDigest])
    /// The PIN.
    case pin([UInt8], [TPM.PolicyDigest])
}

extension TPMDevice {
    /// Decides how to satisfy a policy: by the state where it is the right one, else by the PIN where there is one.
    ///
    /// - Throws: ``TPMDeviceError/Code/stateChanged`` when neither helps. The TPM would refuse too, but could not say which PCR changed.
    func way(of policy: SealingPolicy, pin: [UInt8]?, approval: PolicyApproval?) throws(TPMDeviceError) -> UnsealingWay
    {
        let alternatives = policy.alternatives, refusal: TPMDeviceError
        switch policy.condition {
        case .thisTPM: return .password
        case .pin:
            refusal = TPMDeviceError(.refused, device: name, "Only the PIN opens this. Give it with --pin-file.")
        case .state(let sealed):
            let changes = sealed.changes(in: try state(sealed.selection))
            if changes.isEmpty { return .state(sealed.selection, alternatives) }
            refusal = changed(
                "PCR \(changes.joined(separator: ", ")) holds another value than when it was sealed",
                hasPIN: policy.hasPIN)
        case .approved(let key):
            if let approval {
                if try state(approval.selection).policy.bytes == approval.policy {
                    return .approval(approval, by: key, alternatives)
                }
                refusal = changed(
                    "the approval is for another state of \(approval.selection.text)", hasPIN: policy.hasPIN)
            } else {
                refusal = changed(
                    "no approval was given for the state in which the machine is (--approval)", hasPIN: policy.hasPIN)
            }
        }
        guard policy.hasPIN, let pin, !pin.isEmpty else { throw refusal }
        return .pin(pin, alternatives)
    }

    private func changed(_ reason: String, hasPIN: Bool = false) -> TPMDeviceError {
        TPMDeviceError(
            .stateChanged, device: name,
            "The machine is not in the state to which the secret is sealed: \(reason). If the change was meant, as by an update, fetch the secret from where it is escrowed\(hasPIN ? ", or give the PIN" : ""), and seal it again; if not, find out what was loaded, and reboot."
        )
    }

    /// Runs one command with the authorisation that the way gives.
    func satisfy(
        _ way: UnsealingWay, under parent: LoadedKey, _ command: (_ session: UInt32) throws(TPMDeviceError) -> Void
    ) throws(TPMDeviceError) {
        func start() throws(TPMDeviceError) -> UInt32 { try saltedPolicySession(parent) }
        switch way {
        case .password: try command(Self.password)
        case .state(let selection, let alternatives):
            try usePolicy(of: "the secret", selection, starting: start) { (session) throws(TPMDeviceError) in
                try policyOR(alternatives, session)
                try command(session)
            }
        case .approval(let approval, let key, let alternatives):
            var ticket = try verified(approval, by: key)
            try usePolicy(of: "the secret", approval.selection, starting: start) { (session) throws(TPMDeviceError) in
                try policyAuthorize(approval, key, &ticket, session)
                try policyOR(alternatives, session)
                try command(session)
            }
        case .pin(_, let alternatives):
            let session = try start()
            defer { flush(session) }
            try call("TPM2_PolicyAuthValue") { context in
                Esys_PolicyAuthValue(context, session, Self.none, Self.none, Self.none)
            }
            try policyOR(alternatives, session)
            do throws(TPMDeviceError) {
                try command(session)
            } catch  where error.isWrongAuthorisation {
                throw TPMDeviceError(
                    .notForThisTPM, device: name, responseCode: error.responseCode,
                    "The PIN is wrong. The TPM counts wrong ones, and refuses all for a while after too many: be sure before you try again."
                )
            }
        }
    }

    /// TPM2_PolicyOR; nothing where there are no alternatives.
    private func policyOR(_ alternatives: [TPM.PolicyDigest], _ session: UInt32) throws(TPMDeviceError) {
        guard !alternatives.isEmpty else { return }
        let count = UInt8(clamping: alternatives.count)
        let bytes: [UInt8] = [0, 0, 0, count] + alternatives.flatMap { Wire.sized($0.bytes) }
        guard var list = Wire.structure(TPML_DIGEST(), bytes, Tss2_MU_TPML_DIGEST_Unmarshal) else {
            throw invalid("The policy")
        }
        do throws(TPMDeviceError) {
            try call("TPM2_PolicyOR") { context in
                Esys_PolicyOR(context, session, Self.none, Self.none, Self.none, &list)
            }
        } catch  where error.isPolicyMismatch {
            // A PCR moved after it was looked at.
            throw changed("a PCR changed while it was unsealed")
        }
    }

    /// Has the TPM check an approval (TPM2_LoadExternal, TPM2_VerifySignature): its ticket.
    private func verified(_ approval: PolicyApproval, by key: TPM.Public) throws(TPMDeviceError) -> TPMT_TK_VERIFIED {
        let digest = HashAlgorithm.sha256.hash(PolicyApproval.message(policy: approval.policy))
        let signature = TPM.Signature.ecdsa(
            hash: .sha256, r: Array(approval.signature.prefix(32)), s: Array(approval.signature.suffix(32)))
        guard var area = Wire.structure(TPM2B_PUBLIC(), Wire.sized(key.bytes), Tss2_MU_TPM2B_PUBLIC_Unmarshal),
            var message = Wire.digest(digest),
            var signed = Wire.structure(TPMT_SIGNATURE(), signature.bytes, Tss2_MU_TPMT_SIGNATURE_Unmarshal)
        else { throw invalid("The approval") }
        var handle: UInt32 = 0
        // Owner's hierarchy: a ticket of none would not satisfy a policy.
        try call("TPM2_LoadExternal") { context in
            Esys_LoadExternal(
                context, Self.none, Self.none, Self.none, nil, &area, UInt32(ESYS_TR_RH_OWNER), &handle)
        }
        defer { flush(handle) }
        var ticket: UnsafeMutablePointer<TPMT_TK_VERIFIED>?
        do throws(TPMDeviceError) {
            try call("TPM2_VerifySignature") { context in
                Esys_VerifySignature(
                    context, handle, Self.none, Self.none, Self.none, &message, &signed, &ticket)
            }
        } catch  where error.code == .refused {
            throw TPMDeviceError(
                .notForThisTPM, device: name, responseCode: error.responseCode,
                "The approval is not signed by the key to whose approval the secret is sealed. Ask its holder for another."
            )
        }
        return try take(ticket) { $0.pointee }
    }

    private func policyAuthorize(
        _ approval: PolicyApproval, _ key: TPM.Public, _ ticket: inout TPMT_TK_VERIFIED, _ session: UInt32
    ) throws(TPMDeviceError) {
        guard var policy = Wire.digest(approval.policy),
            var reference = Wire.structure(
                TPM2B_NONCE(), Wire.sized(PolicyApproval.reference), Tss2_MU_TPM2B_NONCE_Unmarshal),
            var keyName = Wire.structure(TPM2B_NAME(), Wire.sized(key.name.bytes), Tss2_MU_TPM2B_NAME_Unmarshal)
        else { throw invalid("The approval") }
        do throws(TPMDeviceError) {
            try call("TPM2_PolicyAuthorize") { context in
                Esys_PolicyAuthorize(
                    context, session, Self.none, Self.none, Self.none, &policy, &reference, &keyName, &ticket)
            }
        } catch  where error.isPolicyMismatch {
            throw changed("a PCR changed while it was unsealed")
        }
    }
}

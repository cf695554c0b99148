internal import Cryptography
package import TPM2

extension UnverifiedQuote {
    /// Checks that the quote answers a challenge: by this key, with this nonce, over these PCRs, after what was seen before.
    ///
    /// - Parameters:
    ///   - key: The enrolled key of the name that the evidence states.
    ///   - previous: The counters of the last accepted quote of this key.
    public func authenticate(
        by key: AttestationKey, answering challenge: Challenge, after previous: BootCounters?
    ) -> Authentication {
        authenticate(
            by: key, answering: challenge, after: previous,
            expecting: QualifyingData.ofQuote(nonce: challenge.nonce, bound: evidence.bound))
    }

    /// Authenticates evidence that was accepted before and kept: whatever it answered then is not asked again. Nothing that comes of it may
    /// become a token.
    package func authenticateStored(by key: AttestationKey, selection: TPM.PCRSelectionList) -> Authentication {
        let challenge = Challenge(nonce: [], selection: selection, attestationKey: key.name, expiresAt: 0)
        return authenticate(by: key, answering: challenge, after: nil, expecting: attest.extraData)
    }

    /// The same, with the qualifying data that the quote must carry: other protocols bind nonce and keys in their own way, and tests have
    /// quotes of real machines, made for nonces of their own.
    package func authenticate(
        by key: AttestationKey, answering challenge: Challenge, after previous: BootCounters?,
        expecting qualifyingData: [UInt8]
    ) -> Authentication {
        do throws(Broken) {
            try checkSignature(key, challenge)
            let quoted = try checkFreshness(challenge, qualifyingData)
            let pcrs = try checkPCRs(quoted, key)
            try checkCounters(previous)
            let keys = try checkKeys(key, challenge)
            return .authentic(
                AuthenticatedQuote(self, pcrs: pcrs, keys: keys, nonce: challenge.nonce, previous: previous))
        } catch {
            return .broken([error.finding])
        }
    }

    /// One broken link ends the chain: what comes after it proves nothing either way.
    struct Broken: Error {
        let finding: Finding

        init(
            _ rule: String, _ description: String, bank: String? = nil, pcr: Int? = nil, expected: String? = nil,
            found: String? = nil, remedy: String
        ) {
            finding = Finding(
                .brokenEvidenceChain, rule: rule, bank: bank, pcr: pcr, description, expected: expected, found: found,
                remedy: remedy)
        }
    }

    private func checkSignature(_ key: AttestationKey, _ challenge: Challenge) throws(Broken) {
        let enrol =
            "Use the key that is enrolled for this machine, or enrol again after an operator removed the old record"
        guard evidence.attestationKey == key.name, challenge.attestationKey.map({ $0 == key.name }) ?? true else {
            throw Broken(
                "attestation-key", "The evidence names another attestation key than the challenge", remedy: enrol)
        }
        guard key.signed(attest.bytes, signature) else {
            throw Broken(
                "quote-signature",
                "The quote is not signed by the enrolled attestation key, in its scheme and with its hash",
                remedy: enrol)
        }
        guard key.qualifiedNames.contains(attest.qualifiedSigner) else {
            throw Broken(
                "attestation-key-hierarchy", "The attestation key is not in the endorsement hierarchy",
                remedy: "Create the attestation key in the endorsement hierarchy and enrol it")
        }
    }

    private func checkFreshness(
        _ challenge: Challenge, _ qualifyingData: [UInt8]
    ) throws(Broken) -> TPM.QuoteInfo {
        guard case .quote(let quoted) = attest.attested else {
            throw Broken(
                "attestation-type", "The TPM attested something else than PCRs", remedy: "Send what TPM2_Quote returned"
            )
        }
        guard constantTimeEqual(attest.extraData, qualifyingData) else {
            throw Broken(
                "nonce", "The quote answers another challenge, or binds other keys than it is sent with",
                remedy: "Ask for a new session and quote with its nonce")
        }
        guard quoted.selection.bytes == challenge.selection.bytes, challenge.selection.pcrCount > 0 else {
            throw Broken(
                "pcr-selection", "The quote covers other PCRs than were asked for",
                expected: challenge.selection.text, found: quoted.selection.text,
                remedy: "Quote exactly the banks and PCRs that the challenge names")
        }
        return quoted
    }

    private func checkPCRs(_ quoted: TPM.QuoteInfo, _ key: AttestationKey) throws(Broken) -> VerifiedPCRs {
        let send = "Send each quoted PCR, and no other, with a value of its bank's length"
        var concatenated: [UInt8] = []
        var remaining = evidence.pcrs
        for selection in quoted.selection.selections {
            let bank = selection.bank.description
            guard let hash = selection.bank.hash, hash != .insecureSHA1 else {
                throw Broken(
                    "pcr-bank", "The bank \(bank) proves nothing", bank: bank,
                    remedy: "Activate the SHA-256 bank in the firmware")
            }
            let values = remaining.removeValue(forKey: selection.bank) ?? [:]
            let indices = selection.indices
            if let extra = values.keys.filter({ !indices.contains($0) }).min() {
                throw Broken(
                    "pcr-not-quoted", "PCR \(extra) is sent but not quoted", bank: bank, pcr: extra, remedy: send)
            }
            for index in indices {
                guard let value = values[index], value.count == hash.byteCount else {
                    throw Broken(
                        "pcr-value", "The value of PCR \(index) is missing or has not \(hash.byteCount) bytes",
                        bank: bank,
                        pcr: index, remedy: send)
                }
                concatenated += value
            }
        }
        if let extra = remaining.keys.map(\.description).min() {
            throw Broken(
                "pcr-not-quoted", "Values of the bank \(extra) are sent but not quoted", bank: extra, remedy: send)
        }
        guard constantTimeEqual(key.hash.hash(concatenated), quoted.pcrDigest) else {
            throw Broken(
                "pcr-digest", "The PCR values are not those that the TPM signed",
                remedy: "Read the PCRs again right before the quote, and send what was read")
        }
        let pcrs = VerifiedPCRs(selection: quoted.selection, values: evidence.pcrs)
        try checkMeasured(pcrs)
        return pcrs
    }

    /// Firmware that measures extends PCR 0 and 4; one that is all zeros or all ones was never extended.
    private func checkMeasured(_ pcrs: VerifiedPCRs) throws(Broken) {
        for bank in pcrs.banks {
            for index in [0, 4] {
                guard let value = pcrs.value(ofPCR: index, in: bank) else { continue }
                guard value.contains(where: { $0 != 0 }), value.contains(where: { $0 != 0xFF }) else {
                    throw Broken(
                        "pcr-not-measured", "PCR \(index) was not measured by the firmware", bank: bank.description,
                        pcr: index,
                        remedy: "Enable measured boot and this bank in the firmware's setup")
                }
            }
        }
    }

    private func checkCounters(_ previous: BootCounters?) throws(Broken) {
        let counters = BootCounters(attest.clockInfo)
        if let previous, !counters.canFollow(previous) {
            throw Broken(
                "boot-counters", "The TPM's boot counters went backwards",
                expected: "reset \(previous.resetCount), restart \(previous.restartCount) or later",
                found: "reset \(counters.resetCount), restart \(counters.restartCount)",
                remedy: "If the TPM was cleared or replaced, let an operator remove the node and enrol it again")
        }
    }
}

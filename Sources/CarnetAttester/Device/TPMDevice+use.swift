internal import CTSS2
public import TPM2

extension TPMDevice {
    /// TPM2_ActivateCredential: the secret of a credential that was made for this TPM and for `key`.
    public func activate(
        _ credential: TPM.Credential, for key: LoadedKey, endorsementKey: LoadedKey
    ) throws(TPMDeviceError) -> [UInt8] {
        guard
            var blob = Wire.structure(
                TPM2B_ID_OBJECT(), credential.idObject, Tss2_MU_TPM2B_ID_OBJECT_Unmarshal),
            var secret = Wire.structure(
                TPM2B_ENCRYPTED_SECRET(), credential.encryptedSecret, Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal)
        else { throw invalid("The credential") }
        let session = try policySession()
        defer { flush(session) }
        try call("TPM2_PolicySecret") { context in
            Esys_PolicySecret(
                context, Self.endorsement, session, Self.password, Self.none, Self.none, nil, nil, nil, 0, nil, nil)
        }
        var output: UnsafeMutablePointer<TPM2B_DIGEST>?
        try call("TPM2_ActivateCredential") { context in
            Esys_ActivateCredential(
                context, key.handle, endorsementKey.handle, Self.password, session, Self.none, &blob, &secret, &output)
        }
        return try take(output) { Wire.content($0) }
    }

    /// TPM2_Sign over a SHA-256 digest with an unrestricted P-256 key: r ‖ s, 64 bytes.
    ///
    /// - Throws: ``TPMDeviceError/Code/stateChanged`` for a key that is bound to another state than the machine is in.
    public func sign(digest: [UInt8], with key: LoadedKey) throws(TPMDeviceError) -> [UInt8] {
        guard var digest = Wire.digest(digest) else { throw invalid("The digest") }
        var scheme = Self.keyScheme, ticket = TPMT_TK_HASHCHECK()
        ticket.tag = TPM2_ST_HASHCHECK
        ticket.hierarchy = TPM2_RH_NULL
        var output: UnsafeMutablePointer<TPMT_SIGNATURE>?
        try use(key) { (session) throws(TPMDeviceError) in
            try call("TPM2_Sign") { context in
                Esys_Sign(context, key.handle, session, Self.none, Self.none, &digest, &scheme, &ticket, &output)
            }
        }
        let bytes = try take(output) { Wire.bytes($0, Tss2_MU_TPMT_SIGNATURE_Marshal) }
        guard case .ecdsa(_, let r, let s) = try? TPM.Signature(parsing: bytes), r.count <= 32, s.count <= 32 else {
            throw invalid("The answer to TPM2_Sign")
        }
        return Self.padded(r) + Self.padded(s)
    }

    /// TPM2_ECDH_ZGen: the x coordinate, 32 bytes, of the key times a point of P-256.
    public func sharedSecret(x: [UInt8], y: [UInt8], with key: LoadedKey) throws(TPMDeviceError) -> [UInt8] {
        let content = Wire.sized(x) + Wire.sized(y)
        guard
            var point = Wire.structure(
                TPM2B_ECC_POINT(), Wire.sized(content), Tss2_MU_TPM2B_ECC_POINT_Unmarshal)
        else { throw invalid("The point") }
        var output: UnsafeMutablePointer<TPM2B_ECC_POINT>?
        try use(key) { (session) throws(TPMDeviceError) in
            try call("TPM2_ECDH_ZGen") { context in
                Esys_ECDH_ZGen(context, key.handle, session, Self.none, Self.none, &point, &output)
            }
        }
        let bytes = try take(output) { Wire.bytes($0, Tss2_MU_TPM2B_ECC_POINT_Marshal) }
        // TPM2B_ECC_POINT: size, then x and y as TPM2B.
        guard bytes.count > 4 else { throw invalid("The answer to TPM2_ECDH_ZGen") }
        let count = Int(bytes[2]) << 8 | Int(bytes[3])
        guard count <= 32, bytes.count >= 4 + count else { throw invalid("The answer to TPM2_ECDH_ZGen") }
        return Self.padded(Array(bytes[4..<(4 + count)]))
    }

    /// Random bytes from the TPM.
    public func random(_ count: Int) throws(TPMDeviceError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try someRandom(count - bytes.count)
            guard !more.isEmpty else { throw invalid("The answer to TPM2_GetRandom") }
            bytes += more
        }
        return bytes
    }

    /// Between one and `count` random bytes: a TPM gives at most as many as its longest digest has.
    private func someRandom(_ count: Int) throws(TPMDeviceError) -> [UInt8] {
        var output: UnsafeMutablePointer<TPM2B_DIGEST>?
        try call("TPM2_GetRandom") { context in
            Esys_GetRandom(context, Self.none, Self.none, Self.none, UInt16(clamping: min(count, 32)), &output)
        }
        return try take(output) { Wire.content($0) }
    }

    /// Extends a PCR with one digest in one bank, as whoever measures does. Demonstrations and tests do; the agent only with the word of a phase.
    package func extend(pcr: Int, bank: TPM.AlgorithmID, digest: [UInt8]) throws(TPMDeviceError) {
        // TPML_DIGEST_VALUES: a 32-bit count, then algorithm and digest.
        let bytes = [0, 0, 0, 1, UInt8(bank.rawValue >> 8), UInt8(bank.rawValue & 0xFF)] + digest
        guard
            var values = Wire.structure(
                TPML_DIGEST_VALUES(), bytes, Tss2_MU_TPML_DIGEST_VALUES_Unmarshal)
        else { throw invalid("The digest") }
        try call("TPM2_PCR_Extend") { context in
            Esys_PCR_Extend(context, UInt32(clamping: pcr), Self.password, Self.none, Self.none, &values)
        }
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: max(0, 32 - bytes.count)) + bytes
    }
}

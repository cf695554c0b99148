internal import CTSS2
internal import Cryptography
internal import TPM2

extension TPMConnection {
    /// Signs a digest with an unrestricted key by the key's own scheme (`TPM2_Sign`).
    ///
    /// - Parameter digest: As long as the digests of the key's scheme.
    /// - Returns: r ‖ s, each as wide as the curve's field, as JOSE writes ECDSA.
    public func sign(_ digest: [UInt8], with key: LoadedKey) throws(TPMError) -> [UInt8] {
        guard case .ecc(let curve, _, _) = key.publicArea.key else {
            throw error(.unsupported, "TPM2_Sign", "the key is not on an elliptic curve")
        }
        var input = try self.digest(digest)
        var scheme = Self.keysOwnScheme()
        var ticket = TPMT_TK_HASHCHECK()
        ticket.tag = TPM2_ST_HASHCHECK
        ticket.hierarchy = TPM2_RH_NULL
        var made: UnsafeMutablePointer<TPMT_SIGNATURE>?
        defer { Esys_Free(made) }
        try check(
            "TPM2_Sign",
            Esys_Sign(
                try esys(), key.handle, Self.password, Self.none, Self.none, &input, &scheme, &ticket, &made))
        guard let made,
            let signature = try? TPM.Signature(
                parsing: bytes(of: made, "TPMT_SIGNATURE", Tss2_MU_TPMT_SIGNATURE_Marshal)),
            case .ecdsa(_, let r, let s) = signature, let r = Self.padded(r, curve), let s = Self.padded(s, curve)
        else { throw error(.malformed, "TPM2_Sign", "the answer is no ECDSA signature on the key's curve") }
        return r + s
    }

    /// Agrees on a secret with the holder of a point (`TPM2_ECDH_ZGen`).
    ///
    /// - Parameters:
    ///   - x: The peer's coordinates, big-endian. The TPM checks that the point is on the curve.
    /// - Returns: The x coordinate of the shared point, as wide as the curve's field.
    public func sharedSecret(withPointX x: [UInt8], y: [UInt8], key: LoadedKey) throws(TPMError) -> [UInt8] {
        guard case .ecc(let curve, _, _) = key.publicArea.key else {
            throw error(.unsupported, "TPM2_ECDH_ZGen", "the key is not on an elliptic curve")
        }
        var peer = TPM2B_ECC_POINT()
        try fill(
            &peer.point, from: Self.sized(x) + Self.sized(y), "TPMS_ECC_POINT", Tss2_MU_TPMS_ECC_POINT_Unmarshal)
        var shared: UnsafeMutablePointer<TPM2B_ECC_POINT>?
        defer { Esys_Free(shared) }
        try check(
            "TPM2_ECDH_ZGen",
            Esys_ECDH_ZGen(try esys(), key.handle, Self.password, Self.none, Self.none, &peer, &shared))
        guard let shared, let secret = Self.padded(content(ofSized: &shared.pointee.point.x), curve) else {
            throw error(.malformed, "TPM2_ECDH_ZGen", "the answer is no point on the key's curve")
        }
        return secret
    }

    /// A coordinate with the zeros in front that the TPM may leave out.
    private static func padded(_ number: [UInt8], _ curve: EllipticCurve) -> [UInt8]? {
        let missing = curve.coordinateByteCount - number.count
        return missing >= 0 ? [UInt8](repeating: 0, count: missing) + number : nil
    }
}

internal import CarnetRelyingParty
internal import CarnetResult
internal import StrictEncoding

extension NodeCertificateRequest {
    /// The `jti` of the passport that the request shows, by the token's own word, which nobody has checked; `nil` where there is none.
    ///
    /// Of a request that was approved it says which passport was used up for it.
    public var statedTokenID: String? {
        guard let presented = try? PresentedRequest(self),
            presented.passport.count <= PassportVerifier.maximumTokenByteCount,
            let jws = try? CompactJWS(parsing: presented.passport),
            let claims = try? IndexedJSON(
                parsing: jws.payload, maximumByteCount: PassportVerifier.maximumTokenByteCount, maximumDepth: 8)
        else { return nil }
        return claims.root["jti"]?.string
    }
}

import CarnetResult
import StrictEncoding

/// The status that a result states, read without checking its signature: the verifier that just sent it over TLS is the one who signed.
struct ResultStatus {
    let status: String

    init?(_ token: String) {
        guard let jws = try? CompactJWS(parsing: Array(token.utf8)), let payload = Base64URL.decode(jws.payloadSegment),
            let root = try? JSONDocument(parsing: payload, maximumByteCount: 65_536).root,
            let status = root["ear_status"]?.string
        else { return nil }
        self.status = status
    }
}

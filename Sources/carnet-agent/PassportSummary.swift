import CarnetResult
import Foundation
import StrictEncoding

/// What the machine itself reads in its passport. It checks nothing: the machine is not the one who has to be convinced.
struct PassportSummary {
    let status: String
    let expiresAt: Int64

    init?(_ token: [UInt8]) {
        guard let jws = try? CompactJWS(parsing: token), let payload = Base64URL.decode(jws.payloadSegment),
            let root = try? JSONDocument(parsing: payload, maximumByteCount: 65_536).root,
            let status = root["ear_status"]?.string, let expiresAt = root["exp"]?.integer
        else { return nil }
        self.status = status
        self.expiresAt = expiresAt
    }

    var expiry: String { Date(timeIntervalSince1970: TimeInterval(expiresAt)).formatted(.iso8601) }
}

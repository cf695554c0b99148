internal import Cryptography
internal import StrictEncoding
internal import TPM2

/// Turns a challenge into a session id that carries it, and back: the verifier's sealed note to itself.
///
/// Whoever holds the key can answer for the session, so replicas share nothing but the key. The note is authentic (HMAC-SHA-256), not
/// secret: the attester knows all that is in it. Version 1, big-endian:
/// `u8 version, u64 expiry, u8+nonce, u8+name, u8+requester nonce, u8+TPML_PCR_SELECTION`, then 32 bytes of HMAC.
public struct SessionSeal: Sendable {
    /// Why a session id is not one of ours, or no longer.
    public enum OpenError: Error, Hashable {
        case unknown
        /// It was ours, and its time is over.
        case expired
    }

    private let key: [UInt8]
    private static let version: UInt8 = 1
    private static let label = Array("carnet/session/v1".utf8)

    /// A seal with a key of 32 random bytes.
    public init(key: [UInt8]) { self.key = key }

    /// The session id of a challenge: base64url, below 400 characters.
    public func seal(_ challenge: Challenge) -> String {
        var payload: [UInt8] = [Self.version]
        for shift in stride(from: 56, through: 0, by: -8) {
            payload.append(UInt8(truncatingIfNeeded: challenge.expiresAt >> Int64(shift)))
        }
        let parts = [
            challenge.nonce, challenge.attestationKey?.bytes ?? [], challenge.requesterNonce ?? [],
            challenge.selection.bytes,
        ]
        for part in parts {
            payload.append(UInt8(clamping: part.count))
            payload += part.prefix(255)
        }
        return Base64URL.encode(payload + code(payload))
    }

    /// The challenge of a session id, if this key sealed it and its time is not over.
    public func open(_ session: some StringProtocol, at now: Int64) throws(OpenError) -> Challenge {
        guard session.utf8.count <= 1024, let bytes = Base64URL.decode(session), bytes.count > 41 else {
            throw .unknown
        }
        let payload = Array(bytes.dropLast(32))
        guard constantTimeEqual(code(payload), Array(bytes.suffix(32))), payload[0] == Self.version else {
            throw .unknown
        }
        let expiry = payload[1..<9].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        var rest = payload[9...]
        func next() -> [UInt8]? {
            guard let count = rest.popFirst(), rest.count >= Int(count) else { return nil }
            defer { rest = rest.dropFirst(Int(count)) }
            return Array(rest.prefix(Int(count)))
        }
        guard let nonce = next(), let name = next(), let requesterNonce = next(), let selection = next(), rest.isEmpty,
            let list = try? TPM.PCRSelectionList(parsing: selection)
        else { throw .unknown }
        let attestationKey: TPM.Name?
        do {
            attestationKey = name.isEmpty ? nil : try TPM.Name(parsing: name)
        } catch {
            throw .unknown
        }
        guard now < expiry else { throw .expired }
        return Challenge(
            nonce: nonce, selection: list, attestationKey: attestationKey,
            requesterNonce: requesterNonce.isEmpty ? nil : requesterNonce, expiresAt: expiry)
    }

    private func code(_ payload: [UInt8]) -> [UInt8] {
        HMAC.authenticationCode(.sha256, key: key, Self.label, [0], payload)
    }
}

internal import CarnetRelyingParty
internal import CarnetResult
internal import StrictEncoding

extension Refusal {
    /// Whether the fault may lie with whoever checks, and pass without the machine: keys and lists that are missing or old, clocks that
    /// differ, a passport that is suspended.
    var mayHeal: Bool {
        switch code {
        case .unknownKey, .keysStale, .bundleTime, .statusUnknown, .statusExpired, .statusStale, .suspended,
            .notYetValid:
            true
        default: false
        }
    }
}

extension Denial {
    /// Why a passport was refused; the reason is `Passport` and the refusal's code.
    init(_ refusal: Refusal) {
        let words = refusal.code.rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        self.init("Passport" + words.joined(), refusal.reason, refusal.nextStep)
    }

    /// Why no passport can be checked at all.
    init(outage: Refusal) {
        self.init(.passportsCannotBeChecked, outage.reason, nextStep: outage.nextStep)
    }
}

/// When a token expires by its own word, which nobody has checked; `nil` when it does not say.
func statedExpiry(of token: [UInt8]) -> Int64? {
    guard token.count <= PassportVerifier.maximumTokenByteCount, let jws = try? CompactJWS(parsing: token),
        let claims = try? IndexedJSON(
            parsing: jws.payload, maximumByteCount: PassportVerifier.maximumTokenByteCount, maximumDepth: 8),
        let expiry = claims.root["exp"]?.integer, (0..<10_000_000_000).contains(expiry)
    else { return nil }
    return expiry
}

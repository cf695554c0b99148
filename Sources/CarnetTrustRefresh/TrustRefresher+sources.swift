public import CarnetRelyingParty
internal import CarnetResult
internal import NIOConcurrencyHelpers
internal import StrictEncoding

extension TrustRefresher {
    /// Fetches keys and lists, and swaps the verifier when all of them are good.
    ///
    /// - Returns: For how long they may be kept, in seconds; `nil` when nobody says.
    func refreshIssuer(_ keySetURL: String, _ base: String, _ withStatusLists: Bool) async throws -> Int64? {
        let answer = try await fetch.get(keySetURL, upTo: JSONWebKeySet.maximumByteCount)
        let keySet = try JSONWebKeySet(parsing: answer.body)
        var seconds = answer.maximumAge
        // What is at hand stays, as far as these keys signed it, until newer lists come.
        var next = try verifier.trusting(keySet), lists = next.statusLists
        var texts = state.withLockedValue { $0.published?.statusLists } ?? [:]
        var fault: (any Error)?
        if withStatusLists {
            do {
                for name in try await names(base) {
                    let path = name.dropFirst(verifier.expectations.issuer.count)
                    let token = try await fetch.get(base + path, upTo: UnverifiedStatusListToken.maximumByteCount)
                    if try lists.add(token.body, named: name, at: now()) { texts[name] = token.body }
                }
            } catch {
                fault = error
            }
            lists.removeExpired(at: now())
            seconds = lists.secondsToKeep(at: now(), upTo: seconds)
        }
        let held = Set(lists.held.map(\.uri)), fetchedAt = now()
        let published = Published(
            keySet: answer.body, statusLists: texts.filter { held.contains($0.key) }, fetchedAt: fetchedAt)
        state.withLockedValue { state in
            // The same keys keep what was accepted; other keys begin anew.
            if state.keySet?.verificationKeys == keySet.verificationKeys { next = state.verifier }
            state.keySet = keySet
            state.verifier = next.checking(lists).usable(until: fetchedAt + limits.maximumKeyAge)
            state.published = published
        }
        keepPublished()
        if let fault { throw fault }
        return seconds
    }

    /// The names of the issuer's lists, all of them its own: fetched where the issuer is, and nowhere else.
    private func names(_ base: String) async throws -> [String] {
        let issuer = verifier.expectations.issuer
        let answer = try await fetch.get(base + "/status-lists", upTo: 1 << 18)
        let root = try JSONDocument(parsing: answer.body, maximumByteCount: 1 << 18, maximumDepth: 3).root
        guard let nodes = root["status_lists"]?.elements, nodes.count <= StatusLists.maximumListCount else {
            throw BoundedFetch.Failure(description: "the issuer's names of status lists cannot be read")
        }
        return try nodes.map { node in
            guard let name = node.string, name.hasPrefix(issuer + "/"),
                name.dropFirst(issuer.count).utf8.allSatisfy(Self.isPlain), !name.contains("..")
            else { throw BoundedFetch.Failure(description: "the issuer names a status list that is not its own") }
            return name
        }
    }

    /// Letters, digits, and - . _ ~ /: nothing that ends a path or begins another host.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F, 0x7E: true
        default: false
        }
    }

    /// Fetches a bundle, which must continue the last, and swaps the verifier.
    func refreshBundle(_ url: String) async throws -> Int64? {
        guard let trust = state.withLockedValue({ $0.trust }) else { return nil }
        let answer = try await fetch.get(url, upTo: UnverifiedBundle.maximumByteCount)
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let token = Array(answer.body.reversed().drop(while: isSpace).reversed())
        let bundle = try TrustBundle(parsing: token, trusting: trust, at: now())
        try take(bundle)
        let seconds = min(answer.maximumAge ?? .max, max(bundle.expiresAt - now(), 0))
        return verifier.statusLists.secondsToKeep(at: now(), upTo: seconds)
    }
}

extension TrustRefresher {
    /// Takes a bundle that came in another way, as in a file, and was read with ``trust``: it must continue the last.
    ///
    /// - Throws: ``CarnetResult/BundleError`` when it does not fit what is demanded; then the last one stays.
    public func take(_ bundle: TrustBundle) throws {
        try state.withLockedValue { state in
            guard bundle.trust != state.trust || !state.hasAppliedBundle else { return }
            state.verifier = try state.verifier.continuing(with: bundle)
            state.trust = bundle.trust
            state.hasAppliedBundle = true
        }
    }
}

extension StatusLists {
    /// For how many seconds the lists need not be fetched again, and no more than `seconds`.
    fileprivate func secondsToKeep(at now: Int64, upTo seconds: Int64?) -> Int64? {
        held.compactMap { $0.refreshAt ?? $0.expiresAt }.map { max($0 - now, 0) }.reduce(seconds) {
            min($0 ?? .max, $1)
        }
    }
}

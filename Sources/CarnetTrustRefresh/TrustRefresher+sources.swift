internal import CarnetRelyingParty
internal import CarnetResult
internal import StrictEncoding
internal import Synchronization

extension TrustRefresher {
    /// Fetches keys and lists, and swaps the verifier when all of them are good.
    ///
    /// - Returns: For how long they may be kept, in seconds; `nil` when nobody says.
    func refreshIssuer(_ keySetURL: String, _ base: String, _ withStatusLists: Bool) async throws -> Int64? {
        let answer = try await fetch.get(keySetURL, upTo: JSONWebKeySet.maximumByteCount)
        let keySet = try JSONWebKeySet(parsing: answer.body)
        var seconds = answer.maximumAge
        var lists = try StatusLists(keySet: keySet)
        var fault: (any Error)?
        if withStatusLists {
            // The lists at hand that these keys still sign stay until newer ones come.
            let old = state.withLock { $0.lists }
            var tokens: [String: [UInt8]] = [:]
            for token in old where (try? lists.add(token)) == true {
                if let name = Self.name(of: token) { tokens[name] = token }
            }
            do {
                for name in try await names(base) {
                    let path = name.dropFirst(verifier.expectations.issuer.count)
                    let token = try await fetch.get(base + path, upTo: UnverifiedStatusListToken.maximumByteCount)
                    if try lists.add(token.body, named: name) { tokens[name] = token.body }
                }
            } catch {
                fault = error
            }
            lists.removeExpired(at: now())
            for held in lists.held {
                guard let refreshAt = held.refreshAt ?? held.expiresAt else { continue }
                seconds = min(seconds ?? .max, max(refreshAt - now(), 0))
            }
            let held = Set(lists.held.map(\.uri))
            state.withLock { state in state.lists = tokens.filter { held.contains($0.key) }.map(\.value) }
        }
        try state.withLock { state in
            // The same keys keep what was accepted; other keys begin anew.
            if state.keySet?.verificationKeys != keySet.verificationKeys {
                state.verifier = try state.verifier.trusting(keySet)
                state.keySet = keySet
            }
            if withStatusLists { state.verifier = state.verifier.checking(lists) }
        }
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

    private static func name(of token: [UInt8]) -> String? {
        try? UnverifiedStatusListToken(parsing: token).unverifiedContent().uri
    }

    /// Fetches a bundle, which must continue the last, and swaps the verifier.
    func refreshBundle(_ url: String) async throws -> Int64? {
        guard let trust = state.withLock({ $0.trust }) else { return nil }
        let answer = try await fetch.get(url, upTo: UnverifiedBundle.maximumByteCount)
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let token = Array(answer.body.reversed().drop(while: isSpace).reversed())
        let bundle = try TrustBundle(parsing: token, trusting: trust, at: now())
        try state.withLock { state in
            guard bundle.trust != state.trust || state.lastOutcome == nil else { return }
            state.verifier = try state.verifier.continuing(with: bundle, adjust)
            state.trust = bundle.trust
        }
        return min(answer.maximumAge ?? .max, max(bundle.expiresAt - now(), 0))
    }
}

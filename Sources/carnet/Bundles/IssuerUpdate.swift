import CarnetCommandLine
import CarnetResult

/// What is new about an issuer of a bundle. What is `nil` stays as it was.
struct IssuerUpdate {
    let name: String
    var keys: JSONWebKeySet?
    var nextKeys: JSONWebKeySet?
    var lists: [List]?

    /// A status list, and where it came from.
    struct List {
        let origin: String
        let token: [UInt8]
        /// The name under which it was asked for; `nil` takes any of the issuer's.
        var name: String?
    }

    init(name: String) { self.name = name }

    /// The issuer with the news, and what to tell about them.
    ///
    /// A next key that is among the current ones now is a current one. Lists that are given must all be the issuer's; one that is carried over
    /// and that no key signs any more is left out.
    func applied(to before: BundledIssuer?) throws(Failure) -> (issuer: BundledIssuer, notes: [String]) {
        guard let current = keys ?? before?.currentKeys else {
            throw Failure(
                .refused, "\(name) is not in the bundle, and nothing gives its keys. Give --jwks or --verifier, too.")
        }
        let next = nextKeys ?? before?.nextKeys
        let later = next?.verificationKeys.filter { current.verificationKeys[$0.key] == nil } ?? [:]
        let issuer = BundledIssuer(
            name: name, currentKeys: current,
            nextKeys: later.isEmpty ? nil : JSONWebKeySet(verificationKeys: later))
        var notes: [String] = [], kept: [[UInt8]] = []
        if let lists {
            kept = try check(lists, issuer.keySet)
        } else {
            for token in before?.statusLists ?? [] {
                guard let list = try? UnverifiedStatusListToken(parsing: token) else { continue }
                if (try? list.verified(by: issuer.keySet)) != nil {
                    kept.append(token)
                } else {
                    let uri = (try? list.unverifiedContent().uri) ?? ""
                    notes.append("The status list \(uri) is left out: none of the issuer's keys signed it.")
                }
            }
        }
        return (
            BundledIssuer(
                name: name, currentKeys: current, nextKeys: issuer.nextKeys, statusLists: kept), notes
        )
    }

    /// The tokens of lists that are all the issuer's: by its keys, named below its name, each once.
    private func check(_ lists: [List], _ keySet: JSONWebKeySet) throws(Failure) -> [[UInt8]] {
        var names: Set<String> = []
        for list in lists {
            let content: StatusListToken
            do throws(StatusListError) {
                content = try UnverifiedStatusListToken(parsing: list.token).verified(by: keySet)
            } catch {
                let isForeign = error.code == .unknownKey || error.code == .signature
                let advice = isForeign ? " Give the list of \(name), or the keys that signed it." : ""
                throw Failure(isForeign ? .refused : .unreadable, "\(list.origin): \(error).\(advice)")
            }
            guard content.uri.utf8.starts(with: (name + "/").utf8) else {
                throw Failure(
                    .refused, "\(list.origin) is the status list \(content.uri), which is not of the issuer \(name).")
            }
            guard list.name.map({ $0 == content.uri }) ?? true else {
                throw Failure(.refused, "\(list.origin) was asked for, and \(content.uri) came.")
            }
            guard names.insert(content.uri).inserted else {
                throw Failure(.refused, "\(list.origin) is the status list \(content.uri), which is given already.")
            }
        }
        return lists.map(\.token)
    }
}

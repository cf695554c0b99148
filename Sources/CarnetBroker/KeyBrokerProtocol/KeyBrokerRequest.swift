import CarnetResult
import CarnetService
import StrictEncoding

/// What a key-broker client sends to begin a session.
enum KeyBrokerRequest {
    /// The only version of the protocol that is spoken.
    static let version = "0.4.0"
    /// The only kind of environment that is appraised.
    static let environment = "tpm"
    /// The hash over which evidence is bound.
    static let hash = "sha384"

    /// Reads `{"version","tee","extra-params"}`.
    ///
    /// - Throws: ``KeyBrokerError`` for another version or environment, and for a client that cannot hash as is done here.
    static func check(_ body: [UInt8]) throws(KeyBrokerError) {
        let root = try object(body, maximumDepth: 4)
        try requireOnly(["version", "tee", "extra-params"], root)
        guard let version = root["version"]?.string, let environment = root["tee"]?.string else {
            throw KeyBrokerError(.serdeError, "version and tee are strings, and both are needed.")
        }
        guard version == Self.version else {
            throw KeyBrokerError(
                .attestationError, "The protocol's version \(Self.version) is spoken here, and no other.")
        }
        guard environment == Self.environment else {
            throw KeyBrokerError(.attestationError, "The tee \(Self.environment) is appraised here, and no other.")
        }
        // A client that says nothing of hashes takes the protocol's own, which is this one.
        guard let hashes = root["extra-params"]?["supported-hash-algorithms"] else { return }
        guard hashes.elements?.contains(where: { $0.string == hash }) == true else {
            throw KeyBrokerError(
                .attestationError, "Evidence is bound by \(hash) here, which the client does not offer.")
        }
    }

    /// Reads an object and nothing behind it.
    static func object(_ body: [UInt8], maximumDepth: Int) throws(KeyBrokerError) -> JSONNode {
        guard
            let root = try? JSONDocument(
                parsing: body, maximumByteCount: body.count, maximumDepth: maximumDepth, maximumValueCount: 4096
            ).root, root.isObject
        else { throw KeyBrokerError(.serdeError, "The body is no JSON object that is read here.") }
        return root
    }

    /// Refuses members that are not known.
    static func requireOnly(_ names: Set<String>, _ root: JSONNode) throws(KeyBrokerError) {
        guard (root.members ?? []).allSatisfy({ names.contains($0.name) }) else {
            throw KeyBrokerError(
                .serdeError, "The body has a member that is not known: \(names.sorted().joined(separator: ", ")) are.")
        }
    }

    /// The guest's key.
    ///
    /// - Throws: ``KeyBrokerError``: `JweError` for a key to which nothing is encrypted here.
    static func key(_ runtimeData: JSONNode) throws(KeyBrokerError) -> JSONWebKey {
        guard let node = runtimeData["tee-pubkey"], node.isObject else {
            throw KeyBrokerError(.serdeError, "runtime-data.tee-pubkey is missing, or no object.")
        }
        guard let key = try? JSONWebKey(node), node["alg"]?.string == "ECDH-ES+A256KW" else {
            throw KeyBrokerError(
                .jweError,
                "Nothing is encrypted to this key here: a tee-pubkey is EC on P-256 with alg ECDH-ES+A256KW.")
        }
        return key
    }
}

import CarnetClient
internal import CarnetResult
internal import StrictEncoding

extension BrokerClient {
    /// In which form a secret is given.
    public enum SecretForm: String, Sendable, CaseIterable {
        /// Encrypted to the passport's encryption key.
        case jwe
        /// Sealed to the machine's storage key and the attested state.
        case tpmImport = "tpm-import"
    }

    /// A secret, opened.
    ///
    /// - Parameter name: `repository/type/tag`.
    public func secret(_ name: String, form: SecretForm = .jwe) async throws -> [UInt8] {
        let reply = try await release("/release/v1/secrets/" + name, form: form.rawValue)
        return form == .jwe ? try opened(reply) : try imported(reply)
    }

    /// Whether a text names a secret: three parts of letters, digits, dots, hyphens and underscores, none of them dots alone.
    public static func isSecretName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3
            && parts.allSatisfy { DiskToken.isVolumeName(String($0)) && $0.contains { $0 != "." } }
    }

    /// A volume's key as the broker keeps it.
    struct Escrow {
        let version: Int64
        let blob: [UInt8]
    }

    /// Leaves a volume's key with the broker.
    ///
    /// - Returns: Its version.
    func escrow(
        _ blob: [UInt8], volume: String, identifier: String, replaces: Bool, recovery: [UInt8]?, sealing: Sealing?
    ) async throws -> Int64 {
        let body = JSONWriter.object { writer in
            writer.base64URL("blob", blob)
            writer.string("volume_id", identifier)
            if replaces { writer.boolean("replaces", true) }
            if let recovery { writer.string("recovery", String(decoding: recovery, as: UTF8.self)) }
            if let sealing { writer.object("sealing") { sealing.write(to: &$0) } }
        }
        let answer = try await call("PUT", "/escrow/v1/volumes/" + volume, body).answer
        guard let version = try document(answer.body)["version"]?.integer else {
            throw AttesterClient.Unreadable(description: "The broker's answer to the escrow lacks its version.")
        }
        return version
    }

    /// What the broker keeps of a volume, newest first; nothing when it keeps none.
    func escrows(of volume: String) async throws -> [Escrow] {
        let reply: Reply
        do {
            reply = try await release("/escrow/v1/volumes/\(volume)/release")
        } catch let failure as ServiceConnection.Failure where failure.problem == "no-escrow" {
            return []
        }
        let root = try document(opened(reply))
        guard root["volume"]?.isString(equalTo: volume) == true, let versions = root["versions"]?.elements,
            versions.count <= 16
        else { throw AttesterClient.Unreadable(description: "The broker released another volume than \(volume).") }
        return versions.compactMap { version in
            guard let number = version["version"]?.integer, let blob = version["blob"].flatMap(AttesterClient.bytes)
            else {
                return nil
            }
            return Escrow(version: number, blob: blob)
        }
    }

    /// Has the broker forget a version of a volume's key.
    func forget(_ version: Int64, of volume: String) async throws {
        _ = try await call("DELETE", "/escrow/v1/volumes/\(volume)/versions/\(version)")
    }

    /// What a volume's key is sealed to here, for people's eyes.
    struct Sealing {
        let pcrs: String
        let sealedAt: Int64

        func write(to writer: inout JSONWriter) {
            writer.string("pcrs", pcrs)
            writer.integer("sealed_at", sealedAt)
        }
    }

    /// Tells the broker what a volume's key is sealed to here.
    func report(_ sealing: Sealing, of volume: String) async throws {
        _ = try await call("PUT", "/escrow/v1/volumes/\(volume)/sealing", JSONWriter.object { sealing.write(to: &$0) })
    }
}

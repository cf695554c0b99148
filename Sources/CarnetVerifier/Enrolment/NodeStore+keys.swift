import CarnetRecords
import CarnetStorage
import Cryptography
import TPM2

extension NodeStore {
    /// The Name of the enrolled attestation key that is this key; `nil` when no machine has it, or more than one.
    ///
    /// Machines that were enrolled by an earlier release are found too: the first who asks for an unknown key writes down what theirs are.
    func attestationKeyName(of key: PublicKey) async throws -> TPM.Name? {
        let digest = HashAlgorithm.sha256.hash(try key.subjectPublicKeyInfo)
        if let name = try await name(withDigest: digest) { return name }
        guard try await completeDigests() else { return nil }
        return try await name(withDigest: digest)
    }

    /// A Name that no machine has, for a key that none has.
    static func unknownName(of key: PublicKey) throws -> TPM.Name {
        let digest = try HashAlgorithm.sha256.hash(Array("carnet/unknown-key/v1\u{0}".utf8), key.subjectPublicKeyInfo)
        return try TPM.Name(parsing: [0x00, 0x0B] + digest)
    }

    /// SHA-256 of the SubjectPublicKeyInfo of the key in a TPMT_PUBLIC; empty, which no digest is, where it has none.
    static func keyDigest(ofArea area: [UInt8]) -> [UInt8] {
        guard let area = try? TPM.Public(parsing: area), let key = try? area.publicKey(),
            let information = try? key.subjectPublicKeyInfo
        else { return [] }
        return HashAlgorithm.sha256.hash(information)
    }

    private func name(withDigest digest: [UInt8]) async throws -> TPM.Name? {
        let rows = try await ledger.read { connection in
            try connection.rows("SELECT ak_name FROM nodes WHERE ak_spki = \(digest) LIMIT 2")
        }
        guard rows.count == 1, let row = rows.first else { return nil }
        return try TPM.Name(parsing: row.bytes("ak_name"))
    }

    /// - Returns: Whether any was missing.
    private func completeDigests() async throws -> Bool {
        let isMissing = try await ledger.read { connection in
            try connection.row("SELECT 1 FROM nodes WHERE ak_spki IS NULL LIMIT 1") != nil
        }
        guard isMissing else { return false }
        return try await ledger.change(at: 0) { connection in
            for row in try connection.rows("SELECT id, ak_public FROM nodes WHERE ak_spki IS NULL") {
                let (id, digest) = (try row.text("id"), Self.keyDigest(ofArea: try row.bytes("ak_public")))
                try connection.execute("UPDATE nodes SET ak_spki = \(digest) WHERE id = \(id)")
            }
            return .unremarkable(true)
        }
    }
}

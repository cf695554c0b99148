package import CarnetResult
package import CarnetStorage
import Cryptography

/// A signing key as the database keeps it: its record, its public part, and its private part, wrapped, until it is erased.
package struct SigningKeyRow: Sendable {
    package let record: SigningKeyRecord
    /// SubjectPublicKeyInfo, DER: for the audit of what was signed long ago. Nothing is published from it.
    package let publicKey: [UInt8]
    package let wrapped: WrappedKey?

    /// - Throws: ``StorageError/Code/unexpectedValue`` for a state that does not exist, or a time that no clock shows.
    package init(row: SQLRow) throws(StorageError) {
        guard let state = SigningKeyRecord.State(rawValue: try row.text("state")) else {
            throw StorageError(.unexpectedValue, "a signing key's state is unknown")
        }
        let times = [
            try row.integer("published_at"), try row.optionalInteger("activated_at"),
            try row.optionalInteger("retiring_at"), try row.optionalInteger("ended_at"),
        ]
        guard times.allSatisfy({ $0.map(SigningKeyRecord.times.contains) ?? true }) else {
            throw StorageError(.unexpectedValue, "a signing key's times are no times")
        }
        record = SigningKeyRecord(
            kid: try row.text("kid"), state: state, publishedAt: try row.integer("published_at"), activatedAt: times[1],
            retiringAt: times[2], endedAt: times[3])
        publicKey = try row.bytes("public_key")
        let nonce = try row.optionalBytes("nonce"), bytes = try row.optionalBytes("wrapped")
        wrapped = nonce.flatMap { nonce in bytes.map { WrappedKey(nonce: nonce, bytes: $0) } }
    }

    package static func all(in connection: any SQLConnection) throws(StorageError) -> [SigningKeyRow] {
        var rows: [SigningKeyRow] = []
        for row in try connection.rows("SELECT * FROM signing_keys ORDER BY published_at, kid") {
            rows.append(try SigningKeyRow(row: row))
        }
        return rows
    }

    /// What the wrapped key is bound to, so that no row's key opens under another row's name.
    package static func context(_ kid: String) -> String { "signing/" + kid }

    /// The key, which must be the one that the row's name is the thumbprint of.
    ///
    /// - Throws: ``SigningKeyFault`` when it was wrapped by another key, moved, altered, cut, or erased.
    package func signingKey(_ wrapping: KeyEncryptionKey) throws(SigningKeyFault) -> SigningKey {
        guard let wrapped else { throw SigningKeyFault(kid: record.kid, reason: "its private part is gone") }
        do {
            let key = try SigningKey(
                PrivateKey(pkcs8: wrapping.unwrap(wrapped, context: Self.context(record.kid))))
            guard key.keyID.utf8.elementsEqual(record.kid.utf8) else {
                throw SigningKeyFault(kid: record.kid, reason: "it is another key than its name says")
            }
            return key
        } catch let fault as SigningKeyFault {
            throw fault
        } catch {
            throw SigningKeyFault(
                kid: record.kid, reason: "it does not open: it was altered, or another key-encryption key wrapped it")
        }
    }
}

/// A signing key in the database that cannot be used. Nothing is signed or published instead.
package struct SigningKeyFault: Error, Equatable, CustomStringConvertible {
    package let kid: String
    package let reason: String

    /// A sentence for the operator.
    package var description: String {
        "The signing key \(kid) in the database cannot be used: \(reason). Restore the database from a backup, or revoke the key."
    }
}

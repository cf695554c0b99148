package import StrictEncoding
internal import TPM2

extension Evidence {
    /// The envelope as JSON.
    public var bytes: [UInt8] {
        let logs = (eventLog?.count ?? 0) + (runtimeLog?.count ?? 0) + (ima?.entries.count ?? 0)
        var writer = JSONWriter(reserving: 8192 + logs / 3 * 4)
        writer.object { write(to: &$0) }
        return writer.bytes
    }

    /// Writes the envelope's members into the current object.
    package func write(to writer: inout JSONWriter) {
        writer.base64URL("ak", attestationKey.bytes)
        writer.object("quote") { writer in
            writer.base64URL("attest", quote.attest)
            writer.base64URL("signature", quote.signature)
        }
        writer.object("pcrs") { writer in
            for (bank, values) in pcrs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                writer.object(named: bank.description) { writer in
                    for (index, value) in values.sorted(by: { $0.key < $1.key }) {
                        writer.string(named: String(index), Base64URL.encode(value))
                    }
                }
            }
        }
        if let eventLog { writer.base64URL("event_log", eventLog) }
        if let runtimeLog { writer.base64URL("runtime_log", runtimeLog) }
        if let ima {
            writer.object("ima") { writer in
                writer.integer("offset", Int64(ima.offset))
                writer.base64URL("entries", ima.entries)
            }
        }
        writer.base64URL("bound", bound)
        if let keyAttestation { writer.object("key_attestation") { keyAttestation.write(to: &$0) } }
        if let encryptionKeyAttestation {
            writer.object("encryption_key_attestation") { encryptionKeyAttestation.write(to: &$0) }
        }
        if let storageKeyAttestation {
            writer.object("storage_key_attestation") { storageKeyAttestation.write(to: &$0) }
        }
    }
}

extension Evidence.KeyAttestation {
    func write(to writer: inout JSONWriter) {
        writer.base64URL("public", publicArea)
        writer.base64URL("certify", certification.attest)
        writer.base64URL("signature", certification.signature)
    }
}

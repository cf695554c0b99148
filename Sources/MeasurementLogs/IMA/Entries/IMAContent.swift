/// What an entry says, told by the structure of its fields and by digests recomputed over them, never by the template's name.
public enum IMAContent: Sendable {
    /// A file was measured.
    case file(IMAFile)
    /// A buffer was measured, and the entry holds it.
    case buffer(IMABuffer)
    /// The kernel knows no digest. No digest covers the name either.
    case violation(untrustedName: IMAName?)
    /// The same bytes are a file's entry under one template and a buffer's under another: whoever wrote the list chose.
    indirect case ambiguous(IMAFile, IMABuffer)
    /// Fields that none of the known templates has.
    case unreadable(String)
}

/// A measured file.
public struct IMAFile: Sendable {
    /// The digest of its content, or of its fs-verity descriptor.
    public let digest: IMADigest
    /// Its path.
    public let name: IMAName
    /// Its attribute `security.ima`, when that is a signature; empty when the entry has none.
    public let signatureField: ArraySlice<UInt8>
    /// The signature appended to the file, as `ima-modsig` records it.
    public var appendedSignature: AppendedSignature?

    /// A PKCS #7 message behind a file's content, and the digest that it signs.
    public struct AppendedSignature: Sendable {
        /// The digest of the content without the signature.
        public let digest: IMADigest
        /// The message, as it stands.
        public let message: ArraySlice<UInt8>
    }

    /// The signature, when it has the form that Carnet reads.
    public var signature: IMASignature? { IMASignature(parsing: signatureField) }
}

/// A measured buffer.
public struct IMABuffer: Sendable {
    /// The digest of ``data``, recomputed.
    public let digest: IMADigest
    /// What the buffer is called: a keyring, `kexec-cmdline`, `dm_table_load`.
    public let name: IMAName
    /// The buffer, or its digest where the kernel was told to record only that.
    public let data: ArraySlice<UInt8>
}

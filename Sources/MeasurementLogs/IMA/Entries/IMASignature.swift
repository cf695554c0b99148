/// A file's signature in the extended attribute `security.ima`: type 3, header version 2
/// (`signature_v2_hdr` in Linux's `security/integrity/integrity.h`).
public struct IMASignature: Sendable {
    /// The hash whose digest is signed.
    public let algorithm: IMADigestAlgorithm
    /// Which key signed: the last four bytes of its certificate's subject key identifier, big-endian.
    public let keyID: UInt32
    /// PKCS #1 v1.5 for RSA, DER for ECDSA.
    public let bytes: ArraySlice<UInt8>

    /// Reads an attribute that is filled exactly: 3, 2, the hash's number, four bytes of key, two of length (both big-endian), the
    /// signature. `nil` for other types, versions and hashes.
    public init?(parsing field: ArraySlice<UInt8>) {
        let start = field.startIndex
        guard field.count > 9, field[start] == 3, field[start + 1] == 2,
            let algorithm = IMADigestAlgorithm(rawValue: field[start + 2]),
            field.count - 9 == Int(field[start + 7]) << 8 | Int(field[start + 8])
        else { return nil }
        self.algorithm = algorithm
        keyID = field[(start + 3)..<(start + 7)].reduce(0) { $0 << 8 | UInt32($1) }
        bytes = field[(start + 9)...]
    }

    /// Whether the kernel could have written a field's bytes as a signature: empty, or an attribute of a signature's type
    /// (`ima_eventsig_init` and `ima_eventevmsig_init` in Linux's `ima_template_lib.c`).
    static func isPossible(_ field: ArraySlice<UInt8>) -> Bool {
        // EVM_IMA_XATTR_DIGSIG, EVM_XATTR_PORTABLE_DIGSIG, IMA_VERITY_DIGSIG.
        field.first.map { $0 == 3 || $0 == 5 || $0 == 6 } ?? true
    }
}

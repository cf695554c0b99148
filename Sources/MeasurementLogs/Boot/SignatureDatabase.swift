/// The content of a signature database: PK, KEK, db or dbx (UEFI Specification §32.4.1).
public struct SignatureDatabase: Sendable {
    /// Its lists in order.
    public let lists: [SignatureList]

    /// How many signatures all lists have together.
    public var count: Int { lists.reduce(0) { $0 + $1.count } }

    /// Each signature in order.
    public var signatures: some Sequence<SignatureData> {
        lists.lazy.flatMap { list in (0..<list.count).lazy.map { list[$0] } }
    }

    /// Reads a variable's value, which has to be lists and nothing else. No bytes are an empty database, as in setup mode.
    ///
    /// - Throws: ``SignatureListError`` for a list that leaves the value, has header bytes, or signatures that do not fill it; and for
    ///   more than 1,024 lists.
    public init(parsing value: ArraySlice<UInt8>) throws(SignatureListError) {
        var lists: [SignatureList] = []
        var rest = value
        while !rest.isEmpty {
            guard lists.count < 1024 else { throw .tooManyLists }
            lists.append(try SignatureList(reading: &rest))
        }
        self.lists = lists
    }
}

/// Who put a key or a digest into a database, and what it is (`EFI_SIGNATURE_DATA`).
public struct SignatureData: Sendable {
    /// What ``data`` is; `nil` where the log does not say, as for the authority of an image.
    public let kind: SignatureList.Kind?
    /// The owner's GUID.
    public let owner: GUID
    /// The signature: a certificate in DER or a digest.
    public let data: ArraySlice<UInt8>

    init(kind: SignatureList.Kind, bytes: ArraySlice<UInt8>) {
        self.kind = kind
        owner = GUID(bytes.prefix(16)) ?? GUID(0, 0)
        data = bytes.dropFirst(16)
    }

    /// A certificate without an owner, as shim measures its vendor's; `nil` for anything but one DER SEQUENCE.
    init?(certificate: ArraySlice<UInt8>) {
        guard certificate.isOneDERSequence else { return nil }
        kind = .x509
        owner = GUID(0, 0)
        data = certificate
    }

    /// Reads the value of an authority: an owner, then a certificate or a digest; `nil` for anything else.
    public init?(parsing value: ArraySlice<UInt8>) {
        guard value.count > 16, let owner = GUID(value.prefix(16)) else { return nil }
        let data = value.dropFirst(16)
        guard data.isOneDERSequence || data.count == 32 else { return nil }
        kind = data.isOneDERSequence ? .x509 : .sha256
        self.owner = owner
        self.data = data
    }
}

/// Why bytes are not a signature database.
public enum SignatureListError: Error, Hashable, CustomStringConvertible {
    /// A list's header runs past the end.
    case truncated
    /// A list is shorter than its header, longer than the value, or not filled by its signatures.
    case listSize(Int)
    /// A list has a vendor's header of this many bytes.
    case headerBytes(Int)
    /// Signatures have an impossible length.
    case signatureSize(Int)
    /// What should be a certificate is not one DER SEQUENCE.
    case certificate
    /// More than 1,024 lists.
    case tooManyLists

    /// A sentence.
    public var description: String {
        switch self {
        case .truncated: "the signature list ends inside its header"
        case .listSize(let size): "a signature list claims \(size) bytes, which its signatures do not fill"
        case .headerBytes(let size): "a signature list has \(size) bytes of header, and no known type has any"
        case .signatureSize(let size): "a signature list has signatures of \(size) bytes"
        case .certificate: "a signature list has a certificate that is not one DER SEQUENCE"
        case .tooManyLists: "the database has more than 1,024 lists"
        }
    }
}

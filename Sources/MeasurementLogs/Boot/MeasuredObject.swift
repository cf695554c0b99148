/// Something whose digest a PCR holds and whose bytes the log does not: firmware, an image, a file, a list of keys.
public struct MeasuredObject: Sendable {
    /// The event's number in the log.
    public let event: Int
    /// The PCR, which the quote vouches for.
    public let pcr: Int
    /// The digest in the bank of the replay: for images Authenticode's, else that of the bytes.
    public let digest: ArraySlice<UInt8>
    /// What the log calls the event.
    public let untrustedType: EventType
    /// The log's name for it, where it has one: a path, a section, a description. Another name would have the same digest.
    public let untrustedName: String?
    /// What the log and the commands of the boot loader let it be.
    public internal(set) var untrustedRole: Role

    /// What an object is for, as far as the log tells.
    public enum Role: String, Sendable, Hashable {
        case firmware, driver, application, kernel, initrd
        case loadOptions = "load-options"
        case file
        case mokList = "mok-list"
        case override
        case systemExtension = "system-extension"
        case other
    }
}

/// Text that a PCR holds: its every byte is covered by the digest.
public struct MeasuredText: Sendable, Hashable {
    /// The event's number in the log.
    public let event: Int
    /// The PCR, which the quote vouches for.
    public let pcr: Int
    /// The text; what is no UTF-8 or UTF-16 became U+FFFD.
    public let text: String
    /// The label before it, which is not measured, as in `kernel_cmdline`; for records of systemd their kind.
    public let untrustedLabel: String?
}

/// A section of a unified kernel image, as systemd-stub measures it into PCR 11: name, then content.
public struct MeasuredSection: Sendable {
    /// The name, which its own digest confirms, as in `.linux`.
    public let name: String
    /// The number of the event that measures the content.
    public let event: Int
    /// The digest of the content.
    public let digest: ArraySlice<UInt8>
}

/// A variable that holds signature lists, as the firmware measured it before it handed over.
public struct MeasuredDatabase: Sendable {
    /// `PK`, `KEK`, `db`, `dbx`, `dbt` or `dbr`.
    public let name: String
    /// The event's number in the log.
    public let event: Int
    /// What is in it, or why that cannot be said.
    public let content: Result<SignatureDatabase, SignatureListError>
}

/// With which key or digest an image was allowed to run (EV_EFI_VARIABLE_AUTHORITY).
public struct MeasuredAuthority: Sendable {
    /// The event's number in the log.
    public let event: Int
    /// The vendor of the variable that holds the key.
    public let vendor: GUID
    /// The variable: `db`, or one of shim's, as in `MokListRT`; `nil` for shim of 2021 and before, whose structure is broken.
    public let variable: String?
    /// The key or digest; `nil` where the data is something else.
    public let signature: SignatureData?
    /// The signature's number in the measured db, from 0; `nil` when it is not one of them.
    public let databaseEntry: Int?
}

/// A variable in PCR 7 that is neither a database nor an authority: its every byte is covered by the digest.
public struct MeasuredVariable: Sendable {
    /// The event's number in the log.
    public let event: Int
    /// The vendor.
    public let vendor: GUID
    /// The name.
    public let name: String
    /// The value.
    public let value: ArraySlice<UInt8>
}

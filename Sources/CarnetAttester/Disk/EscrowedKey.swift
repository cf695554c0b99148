internal import CarnetEvidence
internal import TPM2

/// What the TPM wraps for the broker: a volume's key, and the PCRs that somebody named for it with `--pcrs`.
///
/// Both are in one sealed object, so that neither who writes to the disk nor who writes to the broker's database can have the key sealed to
/// others.
struct EscrowedKey: Sendable, Hashable {
    private static let keyByteCount = 32

    /// 32 bytes.
    let key: [UInt8]
    /// To which PCRs the key is sealed at home; `nil` for those of the verifier's policy at that time.
    let selection: TPM.PCRSelectionList?

    /// A key with what was named for it.
    init(key: [UInt8], selection: TPM.PCRSelectionList?) {
        self.key = key
        self.selection = selection
    }

    /// Reads what ``bytes`` made: the key, and nothing or a `TPML_PCR_SELECTION` behind it; `nil` for anything else.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count >= Self.keyByteCount else { return nil }
        key = Array(bytes.prefix(Self.keyByteCount))
        let rest = Array(bytes.dropFirst(Self.keyByteCount))
        guard !rest.isEmpty else {
            selection = nil
            return
        }
        // A selection has one spelling: that of its text.
        guard let list = try? TPM.PCRSelectionList(parsing: rest), TPM.PCRSelectionList(text: list.text) == list,
            list.bytes == rest
        else { return nil }
        selection = list
    }

    /// What is sealed: at most 128 bytes for at most fifteen banks.
    var bytes: [UInt8] { key + (selection?.bytes ?? []) }
}

public import TPM2

/// A key that is in the TPM now. It is valid inside the closure that was given it.
public struct LoadedKey {
    /// The ESAPI's own number for the key.
    let handle: UInt32
    /// The public area as the TPM wrote it.
    public let publicArea: TPM.Public
}

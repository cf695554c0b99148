/// TPM 2.0 structures as the TPM 2.0 Library writes them, Part 2: big-endian, exact, bounded.
///
/// Each parser reads one structure, requires that it fills the bytes, and keeps them, since signatures and names cover bytes.
public enum TPM {}

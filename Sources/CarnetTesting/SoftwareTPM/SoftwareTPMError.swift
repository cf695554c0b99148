/// Why a software TPM is not there.
public struct SoftwareTPMError: Error, CustomStringConvertible {
    /// What failed, with the program's own words.
    public let description: String

    init(_ description: String) { self.description = description }
}

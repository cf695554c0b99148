public import MeasurementLogs

/// What is demanded of the files that ran after the boot.
public struct IMARules: Sendable {
    /// The PCR of IMA, 10 unless the kernel was built otherwise.
    public let pcr: Int
    /// Whether evidence without the list is refused.
    public let isRequired: Bool
    /// How the kernel extends banks. Padded SHA-1 is only as strong as SHA-1, so it has to be asked for.
    public let mode: IMAReplay.Mode
    /// What becomes of a file that was changed while it was measured.
    public let violations: ComponentRule.Others
    /// What becomes of what the allow list does not know.
    public let others: ComponentRule.Others
    public let allowList: IMAAllowList

    /// These rules with another allow list.
    func allowing(_ list: IMAAllowList) -> IMARules {
        IMARules(
            pcr: pcr, isRequired: isRequired, mode: mode, violations: violations, others: others, allowList: list)
    }
}

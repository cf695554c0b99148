internal import MeasurementLogs

/// What is told of a known deviation or a harmless irregularity, and what to do about it.
struct BootRemark {
    /// The name that `carnet inspect event-log` has for it.
    let rule: String
    /// What follows the PCR and the event.
    let text: String
    let remedy: String

    fileprivate init(_ rule: String, _ text: String, _ remedy: String) {
        self.rule = rule
        self.text = text
        self.remedy = remedy
    }
}

extension Quirk.Kind {
    /// The deviation, and what was believed instead.
    var remark: BootRemark {
        let (text, remedy) =
            switch self {
            case .shimTrailingByte:
                (
                    "shim logged one byte more than it measured; the bytes before it are covered",
                    "Nothing has to be done; shim from 2022 on logs what it measures"
                )
            case .grubTrailingZero:
                (
                    "GRUB measured the zero that ends a command; the command is covered",
                    "Nothing has to be done; newer GRUB leaves it out, which changes PCR 8"
                )
            case .wholeBootVariable:
                (
                    "the firmware measured a boot variable with its name; all of it is covered",
                    "Nothing has to be done; a firmware update may change this, and PCR 1 with it"
                )
            case .bareBootVariable:
                (
                    "the firmware measured the value of a boot variable and not its name; the value is covered",
                    "Nothing has to be done; a firmware update may change this, and PCR 1 with it"
                )
            case .separatorOfOnes:
                ("the separator is of ones; it means the same as one of zeros", "Nothing has to be done")
            case .commandLineTrailingZero:
                (
                    "a command line was measured with the zero that ends it; the command line is covered",
                    "Nothing has to be done; newer systemd leaves it out, which changes PCR 12"
                )
            }
        return BootRemark(rawValue, text, remedy)
    }
}

extension Irregularity.Kind {
    /// The irregularity, where it is no violation with words of its own.
    var remark: BootRemark {
        let (text, remedy) =
            switch self {
            case .missingSeparator:
                (
                    "there is no separator between firmware and boot loader",
                    "Nothing has to be done where the firmware is no UEFI; else ask its maker"
                )
            case .unreadableDatabase:
                (
                    "a Secure Boot database cannot be read; who verified the images is measured besides",
                    "Look at the database with `carnet inspect event-log`, and report the firmware to its maker"
                )
            case .afterExitBootServices:
                (
                    "this was measured after the firmware was left, so it was not the firmware",
                    "Find out what on the running system extends this PCR"
                )
            case .incompleteSection:
                (
                    "the name of a section was measured, and no content after it",
                    "Look at what boots the unified kernel image"
                )
            case .dmaProtectionDisabled:
                (
                    "the firmware let devices read and write memory while it ran",
                    "Switch on the protection (VT-d, IOMMU, Kernel DMA Protection) in the firmware's setup"
                )
            case .unexplainedBootVariable:
                (
                    "a boot variable is shown, and neither it nor its value is what was measured",
                    "Nothing has to be done; firmware differs in what it measures of boot variables"
                )
            case .changedData:
                (
                    "the text in the log is not what was measured; no rule takes it for true",
                    "Send the log as it was written; if it is, report its writer"
                )
            case .alienType:
                (
                    "nobody is known to measure events of this type here; rules take each event by its digest",
                    "Find out what extends this PCR, if you do not know it"
                )
            case .secondSeparator, .errorSeparator, .mislabelledSeparator, .repeatedVariable, .hiddenInPCR7,
                .misplacedData, .debugMode:
                ("this is no part of a boot", "Find out what extends this PCR")
            }
        return BootRemark(rawValue, text, remedy)
    }
}

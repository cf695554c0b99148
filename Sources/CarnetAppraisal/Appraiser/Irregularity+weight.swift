internal import MeasurementLogs

extension Irregularity {
    /// What an irregularity is worth in an appraisal.
    enum Weight {
        /// The machine is contraindicated.
        case violation
        /// Somebody may want to know.
        case remark
    }

    /// A violation is what other rules would be deceived by; all else is a remark. Both are about PCRs that the quote covers.
    ///
    /// *Violations*, in PCR 0 to 7:
    /// - an error or a second separator, or one under another name: the separator divides what the firmware did from what came after,
    ///   and Secure Boot's state is believed from before it only;
    /// - data that its digest should cover and does not, in PCR 7 any: the log tells something else than was measured;
    /// - a type that nobody measures there, or in PCR 7 data of another kind than its type's: under a label that no rule knows, an event
    ///   would be passed over;
    /// - a Secure Boot variable again or late. The specification lets firmware measure keys that were changed during the boot (§3.3.4.8);
    ///   for such a boot there are two answers to what was enforced, so it is not affirmed, and the next one has only one;
    /// - debugging: what can be debugged can be made to measure anything.
    ///
    /// *Remarks*:
    /// - an event after the firmware was left. Something else extended the firmware's PCRs, and no rule is deceived by it: all look at the
    ///   whole PCR. The order between PCRs is not authentic, so who wants to hide it writes it elsewhere into the log; a verdict that
    ///   stood on this would be the attester's to choose;
    /// - a missing separator: nothing is granted for one. In PCR 7 Secure Boot's state is unknown without it, which the rules about
    ///   it refuse. Boots without UEFI have none;
    /// - an unreadable database: no rule reads databases, and who verified an image is measured besides;
    /// - a boot variable that is not explained, and unprotected memory: states of the firmware that no rule asks about, held in PCR 1 and
    ///   7 for policies that pin them;
    /// - a section's name without content: the name alone is code of nobody;
    /// - in PCR 8 to 15, changed data and types that nobody measures there: boot loaders and systems do as they like with them, and every
    ///   rule about these PCRs takes each event by its digest. An event whose text is not what was measured is to a rule one without text.
    var weight: Weight {
        switch kind {
        case .errorSeparator, .secondSeparator, .mislabelledSeparator, .hiddenInPCR7, .misplacedData, .repeatedVariable,
            .debugMode:
            .violation
        case .changedData, .alienType: pcr < 8 ? .violation : .remark
        case .afterExitBootServices, .missingSeparator, .unreadableDatabase, .incompleteSection,
            .dmaProtectionDisabled, .unexplainedBootVariable:
            .remark
        }
    }
}

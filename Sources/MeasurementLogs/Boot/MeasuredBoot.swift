public import TPM2

/// What a replayed log says about a boot, in one bank.
///
/// Believe it for the PCRs whose quoted value is the replay's. Within a PCR, order and digests are then authentic; the order between
/// PCRs, types and uncovered data are not. So everything is found by its PCR, its place and a digest that was recomputed, and what is
/// not covered by a digest is called untrusted. No event is left out for its label: what a PCR of code or files holds and the log does
/// not show is in ``objects``.
public struct MeasuredBoot: Sendable {
    /// The bank whose digests were looked at.
    public let bank: TPM.AlgorithmID
    /// Whether Secure Boot was enforced.
    public internal(set) var secureBoot = SecureBootState.unknown
    /// What PCR 0 says first about the firmware's version (EV_S_CRTM_VERSION); the text is covered, that it is a version is the label's word.
    public internal(set) var firmwareVersion: MeasuredText?
    /// PK, KEK, db and dbx as measured before the separator of PCR 7, each once.
    public internal(set) var databases: [MeasuredDatabase] = []
    /// With which keys images were allowed to run.
    public internal(set) var authorities: [MeasuredAuthority] = []
    /// Other variables in PCR 7, as shim's SbatLevel and MokSBState.
    public internal(set) var variables: [MeasuredVariable] = []
    /// Everything whose digest is known and whose bytes the log does not hold, in the log's order.
    public internal(set) var objects: [MeasuredObject] = []
    /// GRUB's commands and command lines, PCR 8.
    public internal(set) var commands: [MeasuredText] = []
    /// Command lines that systemd-boot or systemd-stub measured, PCR 12.
    public internal(set) var commandLines: [MeasuredText] = []
    /// The sections of the unified kernel image, PCR 11.
    public internal(set) var sections: [MeasuredSection] = []
    /// What the running system measured: boot phases, machine ID, file systems. Only texts that the digest covers.
    public internal(set) var runtimeTexts: [MeasuredText] = []
    /// For each PCR the number of the event that is its first separator.
    public internal(set) var separators: [Int: Int] = [:]
    /// The event "Exit Boot Services Invocation", PCR 5.
    public internal(set) var exitBootServicesInvocation: Int?
    /// The event "Exit Boot Services Returned with Success", PCR 5.
    public internal(set) var exitBootServicesSuccess: Int?
    /// Known deviations that were read around.
    public internal(set) var quirks: [Quirk] = []
    /// What a boot does not do.
    public internal(set) var irregularities: [Irregularity] = []

    /// Looks at every event of a replayed log.
    public init(_ replay: ReplayedEventLog) {
        bank = replay.bank
        var reader = MeasuredBootReader(replay)
        reader.read(into: &self)
    }
}

extension MeasuredBoot {
    /// The objects that the log gives a role.
    public func objects(untrustedRole role: MeasuredObject.Role) -> [MeasuredObject] {
        objects.filter { $0.untrustedRole == role }
    }

    /// What PCR 4 holds: boot loaders and kernels by their Authenticode digests, whatever the log calls them.
    public var bootApplications: [MeasuredObject] { objects.filter { $0.pcr == 4 } }

    /// What PCR 2 holds: drivers and option ROMs.
    public var drivers: [MeasuredObject] { objects.filter { $0.pcr == 2 } }

    /// What PCR 0 holds: the firmware's own code.
    public var firmware: [MeasuredObject] { objects.filter { $0.pcr == 0 } }

    /// Shim's lists of machine owner's keys, PCR 14.
    public var mokLists: [MeasuredObject] { objects.filter { $0.pcr == 14 } }

    /// Shim's revocation level, as in `sbat,1,2025021800\nshim,4\ngrub,5`; `nil` when shim measured none.
    public var sbatLevel: String? {
        variables.first { $0.name == "SbatLevel" && $0.vendor == .shimLock }
            .map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// The command lines that are in the log and covered: GRUB's with the kernel's path before it, systemd's.
    public var kernelCommandLines: [MeasuredText] {
        commands.filter { $0.untrustedLabel == "kernel_cmdline" } + commandLines
    }

    /// The content of the database of this name; `nil` when it was not measured, or cannot be read.
    public func database(_ name: String) -> SignatureDatabase? {
        databases.first { $0.name == name }.flatMap { try? $0.content.get() }
    }
}

public import MeasurementLogs

/// A kind of thing that a boot measures one by one, and the PCR that says so.
public enum ComponentClass: String, Sendable, Hashable, CaseIterable {
    /// The firmware's own code, PCR 0.
    case firmware
    /// Drivers and option ROMs, PCR 2.
    case driver
    /// Boot loaders and kernels that the firmware started, PCR 4, by their Authenticode digests.
    case application
    /// Keys and digests that allowed an image to run, PCR 7, by the SHA-256 of the certificate or the digest itself.
    case authority
    /// Commands of GRUB, the kernel's command line among them, PCR 8, by their text.
    case command
    /// Files that a boot loader read, kernel and initrd among them, PCR 9.
    case file
    /// Sections of a unified kernel image, PCR 11.
    case section
    /// Command lines that systemd-boot or systemd-stub added, PCR 12, by their text.
    case commandLine = "command-line"
    /// Shim's lists of machine owner's keys, PCR 14.
    case mokList = "mok-list"

    /// The PCR whose value confirms what the log says.
    public var pcr: Int {
        switch self {
        case .firmware: 0
        case .driver: 2
        case .application: 4
        case .authority: 7
        case .command: 8
        case .file: 9
        case .section: 11
        case .commandLine: 12
        case .mokList: 14
        }
    }

    /// Whether such a thing is told by its text; all others are told by a digest.
    public var isText: Bool { self == .command || self == .commandLine }
}

/// What is allowed of one class, and what becomes of the rest.
public struct ComponentRule: Sendable, Hashable {
    /// What happens to a component that nothing allows.
    public enum Others: String, Sendable, Hashable, CaseIterable {
        /// The machine is contraindicated.
        case refuse
        /// The machine is not better than warning.
        case warn
        /// Nothing: the class is only told about.
        case accept
    }

    /// One allowed component.
    public struct Allowed: Sendable, Hashable {
        /// How it is told.
        public enum Match: Sendable, Hashable {
            /// By a digest in the quoted bank; for authorities the SHA-256 of the certificate, or the digest that is listed.
            case digest([UInt8])
            /// By its whole text: `*` stands for anything but a slash, `**` for anything, `?` for one character.
            case text(IMAPathPattern)
        }

        public let match: Match
        /// What people call it.
        public let name: String?
        public let window: ValidityWindow
    }

    public let componentClass: ComponentClass
    public let allowed: [Allowed]
    public let others: Others
    /// ``allowed`` by digest, built once: a policy may name ten thousand, and a boot has hundreds of components.
    let digests: AllowedDigests
    /// The part of ``allowed`` that is told by its text: at most 256.
    let texts: [(pattern: IMAPathPattern, window: ValidityWindow)]
    /// What is allowed, for findings: the first names, and how many more there are.
    let summary: String

    init(componentClass: ComponentClass, allowed: [Allowed], others: Others) {
        self.componentClass = componentClass
        self.allowed = allowed
        self.others = others
        digests = AllowedDigests(allowed)
        texts = allowed.compactMap { entry in
            guard case .text(let pattern) = entry.match else { return nil }
            return (pattern, entry.window)
        }
        let names = componentClass.isText ? texts.map { "\($0.pattern)" } : allowed.compactMap(\.name)
        let more = names.count > 8 ? " and \(names.count - 8) more" : ""
        summary = names.isEmpty ? "\(allowed.count) allowed" : names.prefix(8).joined(separator: ", ") + more
    }

    /// Two rules are the same when they say the same.
    public static func == (left: ComponentRule, right: ComponentRule) -> Bool {
        left.componentClass == right.componentClass && left.allowed == right.allowed && left.others == right.others
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(componentClass)
        hasher.combine(allowed)
        hasher.combine(others)
    }
}

/// What is demanded of the firmware besides its digests.
public struct BootRules: Sendable, Hashable {
    /// Whether Secure Boot has to be enforced, must not be, or is not asked about.
    public enum SecureBoot: String, Sendable, Hashable, CaseIterable {
        case required, disabled, any
    }

    public let secureBoot: SecureBoot
    /// The firmware's version has to be one of these, `*` allowed; empty for any.
    public let firmwareVersions: [IMAPathPattern]

    /// Nothing is demanded.
    public static let none = BootRules(secureBoot: .any, firmwareVersions: [])
}

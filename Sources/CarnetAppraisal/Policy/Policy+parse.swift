internal import PolicyDocument
internal import Cryptography
internal import StrictEncoding
internal import TPM2
internal import Yams

extension Policy {
    /// The longest policy that is read, in bytes.
    public static let maximumByteCount = 1 << 20

    /// Reads a policy. Unknown and repeated members are errors, and so is a policy that demands nothing.
    public init(parsing bytes: [UInt8]) throws(PolicyError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw PolicyError("", "the policy has \(bytes.count) bytes; at most \(Self.maximumByteCount) are read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PolicyError("", "the policy is not UTF-8")
        }
        var root = try MappingReader(PolicyDocument.compose(text), path: "")
        let version = try root.text("version")
        guard version == "1" else { throw root.error("version", "is \(version); this program reads version 1") }
        var draft = PolicyDraft()
        draft.id = try root.text("id")
        guard (1...64).contains(draft.id.utf8.count), draft.id.utf8.allSatisfy(Self.isIdentifierCharacter) else {
            throw root.error("id", "is not 1 to 64 characters of a-z, 0-9, dot, dash and underscore")
        }
        draft.description = try root.optionalText("description") ?? ""
        if let nodes = try root.optionalMapping("nodes") { draft.nodes = try NodeSelector(nodes) }
        draft.discloses = try Self.readDisclosures(&root)
        let eventLog = try root.optionalText("event_log") ?? "required"
        guard eventLog == "required" || eventLog == "optional" else {
            throw root.error("event_log", "is neither required nor optional")
        }
        draft.requiresEventLog = eventLog == "required"
        draft.runtimeLog = try root.optionalChoice("runtime_log") ?? .none
        var banks = try root.mapping("banks")
        draft.banks = try Self.readBanks(&banks)
        let templates = try root.optionalText("templates") ?? "none"
        guard templates == "none" || templates == "accepted" else {
            throw root.error("templates", "is neither none nor accepted")
        }
        draft.acceptsTemplates = templates == "accepted"
        if let boot = try root.optionalMapping("boot") { draft.boot = try BootRules(boot) }
        if let components = try root.optionalMapping("components") {
            draft.components = try ComponentRule.read(components, draft.banks)
        }
        if let ima = try root.optionalMapping("ima") { draft.ima = try IMARules(ima, draft.banks) }
        draft.references = try Self.readReferences(&root)
        try root.end()
        guard draft.demandsSomething else {
            throw banks.error(
                "", "pin no PCR, and no component or file is ruled: such a policy would accept every machine")
        }
        try draft.checkLogs(root)
        self.init(draft, text: bytes)
    }

    private static func readReferences(_ root: inout MappingReader) throws(PolicyError) -> [ReferenceSetName] {
        var names: [ReferenceSetName] = []
        for text in try root.optionalTexts("references") {
            guard let name = ReferenceSetName(text) else {
                throw root.error(
                    "references", "has \(text.prefix(80)), and not a name like `carnet reference check` prints it")
            }
            guard !names.contains(where: { $0.digest == name.digest }) else {
                throw root.error("references", "names the same set twice")
            }
            guard names.count < maximumReferenceCount else {
                throw root.error("references", "names more than \(maximumReferenceCount) sets")
            }
            names.append(name)
        }
        return names
    }

    static func readBanks(_ reader: inout MappingReader) throws(PolicyError) -> [Bank] {
        var banks: [Bank] = []
        for name in reader.names {
            guard let algorithm = TPM.AlgorithmID(hashNamed: name), let hash = algorithm.hash else {
                throw reader.error(name, "is not a bank: sha256, sha384 or sha512")
            }
            guard hash != .insecureSHA1 else {
                throw reader.error(name, "proves nothing: name sha256, sha384 or sha512")
            }
            let rules = try readRules(reader.mapping(name), hash)
            banks.append(Bank(algorithm: algorithm, rules: rules))
        }
        guard !banks.isEmpty else { throw reader.error("", "names no bank") }
        return banks.sorted { $0.algorithm.rawValue < $1.algorithm.rawValue }
    }

    private static func readRules(_ reader: MappingReader, _ hash: HashAlgorithm) throws(PolicyError) -> [Int: Rule] {
        var reader = reader
        var rules: [Int: Rule] = [:]
        for name in reader.names {
            guard let pcr = Int(name), String(pcr) == name, (0..<24).contains(pcr) else {
                throw reader.error(name, "is not a PCR: 0 to 15")
            }
            guard pcr < 16 else {
                throw reader.error(name, "can be reset without a reboot and says nothing about the boot")
            }
            rules[pcr] = try readRule(&reader, name, pcr, hash)
        }
        guard !rules.isEmpty else { throw reader.error("", "names no PCR") }
        return rules
    }

    /// `ignore`, or one value or a list of them; a value is its digits, or a mapping with `value` and a window.
    private static func readRule(
        _ reader: inout MappingReader, _ name: String, _ pcr: Int, _ hash: HashAlgorithm
    ) throws(PolicyError) -> Rule {
        let elements = try reader.textsOrMappings(name)
        if elements.count == 1, case .text("ignore") = elements[0] { return .ignore }
        guard (1...256).contains(elements.count) else {
            throw reader.error(name, "has \(elements.count) values; 1 to 256 are read")
        }
        var values: [AllowedValue] = []
        for element in elements {
            let text: String, window: ValidityWindow
            switch element {
            case .text(let digits): (text, window) = (digits, .always)
            case .mapping(var members):
                text = try members.text("value")
                window = try ValidityWindow(&members)
                try members.end()
            }
            guard let value = Hexadecimal.decode(text), value.count == hash.byteCount else {
                throw reader.error(
                    name,
                    "is neither ignore nor a value of \(2 * hash.byteCount) hexadecimal digits, or a list of them")
            }
            guard value.contains(where: { $0 != 0 }) || (pcr != 0 && pcr != 4) else {
                throw reader.error(name, "is all zeros: the firmware did not measure")
            }
            guard !values.contains(where: { $0.bytes == value }) else {
                throw reader.error(name, "names the same value twice")
            }
            values.append(AllowedValue(value, window))
        }
        return .values(values)
    }

    static func isIdentifierCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}

extension PolicyDraft {
    /// Whether anything could be wrong with a machine.
    fileprivate var demandsSomething: Bool {
        banks.contains { $0.rules.values.contains { $0 != .ignore } }
            || components.contains { $0.others == .refuse } || boot != .none
            || (ima?.others == .refuse && ima?.isRequired == true)
    }

    /// What stands on a log needs it.
    fileprivate func checkLogs(_ root: MappingReader) throws(PolicyError) {
        guard requiresEventLog else {
            if !components.isEmpty { throw root.error("components", "need event_log: required") }
            if boot != .none { throw root.error("boot", "needs event_log: required") }
            return
        }
        // What the log says of a PCR that nobody quotes is the machine's to choose.
        if boot.secureBoot != .any, !banks.allSatisfy({ $0.rules[7] != nil }) {
            throw root.error("boot", "asks for Secure Boot, which needs PCR 7 in every bank (7: ignore is enough)")
        }
        if !boot.firmwareVersions.isEmpty, !banks.allSatisfy({ $0.rules[0] != nil }) {
            throw root.error(
                "boot", "asks for firmware versions, which needs PCR 0 in every bank (0: ignore is enough)")
        }
    }
}

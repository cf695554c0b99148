internal import Cryptography
internal import StrictEncoding
internal import TPM2
internal import Yams

extension Policy {
    /// The longest policy that is read, in bytes.
    public static let maximumByteCount = 262_144

    /// Reads a policy. Unknown and repeated members are errors, and so is a policy that pins nothing.
    public init(parsing bytes: [UInt8]) throws(PolicyError) {
        guard bytes.count <= Self.maximumByteCount else {
            throw PolicyError("", "the policy has \(bytes.count) bytes; at most \(Self.maximumByteCount) are read")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PolicyError("", "the policy is not UTF-8")
        }
        var root = try MappingReader(Self.document(text), path: "")
        let version = try root.text("version")
        guard version == "1" else { throw root.error("version", "is \(version); this program reads version 1") }
        let id = try root.text("id")
        guard (1...64).contains(id.utf8.count), id.utf8.allSatisfy(Self.isIdentifierCharacter) else {
            throw root.error("id", "is not 1 to 64 characters of a-z, 0-9, dot, dash and underscore")
        }
        let description = try root.optionalText("description") ?? ""
        let eventLog = try root.optionalText("event_log") ?? "required"
        guard eventLog == "required" || eventLog == "optional" else {
            throw root.error("event_log", "is neither required nor optional")
        }
        let banks = try Self.readBanks(root.mapping("banks"))
        try root.end()
        self.init(
            id: id, description: description, requiresEventLog: eventLog == "required", banks: banks, text: bytes)
    }

    private static func readBanks(_ reader: MappingReader) throws(PolicyError) -> [Bank] {
        var reader = reader
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
        let pinsSomething = banks.contains { $0.rules.values.contains { $0 != .ignore } }
        guard pinsSomething else { throw reader.error("", "pin no PCR: such a policy would accept every machine") }
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
            let texts = try reader.texts(name)
            if texts == ["ignore"] {
                rules[pcr] = .ignore
                continue
            }
            guard (1...256).contains(texts.count) else {
                throw reader.error(name, "has \(texts.count) values; 1 to 256 are read")
            }
            var values: [[UInt8]] = []
            for text in texts {
                guard let value = Hexadecimal.decode(text), value.count == hash.byteCount else {
                    throw reader.error(
                        name,
                        "is neither ignore nor a value of \(2 * hash.byteCount) hexadecimal digits, or a list of them")
                }
                guard value.contains(where: { $0 != 0 }) || (pcr != 0 && pcr != 4) else {
                    throw reader.error(name, "is all zeros: the firmware did not measure")
                }
                guard !values.contains(value) else { throw reader.error(name, "names the same value twice") }
                values.append(value)
            }
            rules[pcr] = .values(values)
        }
        guard !rules.isEmpty else { throw reader.error("", "names no PCR") }
        return rules
    }

    private static func isIdentifierCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}

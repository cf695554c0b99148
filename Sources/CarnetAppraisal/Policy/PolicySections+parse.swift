internal import PolicyDocument
internal import Cryptography
internal import Foundation
internal import MeasurementLogs
internal import StrictEncoding
internal import TPM2

extension ValidityWindow {
    /// Reads the members `from` and `until` of a mapping.
    init(_ reader: inout MappingReader) throws(PolicyError) {
        var times: [Int64?] = []
        for name in ["from", "until"] {
            let text = try reader.optionalText(name)
            let time = text.flatMap(Self.time)
            guard text == nil || time != nil else {
                throw reader.error(name, "is no time: write 2026-12-01 or 2026-12-01T08:30:00Z")
            }
            times.append(time)
        }
        guard let window = Self(from: times[0], until: times[1]) else {
            throw reader.error("until", "is not after from")
        }
        self = window
    }
}

extension NodeSelector {
    /// Reads `labels: {role: worker, site: [a, b]}`.
    init(_ reader: MappingReader) throws(PolicyError) {
        var reader = reader, selected: [String: Set<String>] = [:]
        var labels = try reader.mapping("labels")
        for name in labels.names {
            let values = try labels.texts(name)
            guard Self.isLabel(name), !values.isEmpty, values.allSatisfy(Self.isLabel) else {
                throw labels.error(
                    name, "is not a label with values: 1 to 63 letters, digits, dots, dashes, underscores")
            }
            selected[name] = Set(values)
        }
        try reader.end()
        self.init(labels: selected)
    }

    /// Whether a text may be a label's name or value.
    package static func isLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x2F: true
                default: false
                }
            }
    }
}

extension BootRules {
    /// Reads `{secure_boot: required, firmware_versions: [...]}`.
    init(_ reader: MappingReader) throws(PolicyError) {
        var reader = reader
        secureBoot = try reader.optionalChoice("secure_boot") ?? .any
        firmwareVersions = try reader.optionalPatterns("firmware_versions")
        try reader.end()
    }
}

extension ComponentRule {
    /// Reads one rule for each class that is named.
    static func read(_ reader: MappingReader, _ banks: [Policy.Bank]) throws(PolicyError) -> [ComponentRule] {
        var reader = reader, rules: [ComponentRule] = []
        for name in reader.names {
            guard let kind = ComponentClass(rawValue: name) else {
                let known = ComponentClass.allCases.map(\.rawValue).joined(separator: ", ")
                throw reader.error(name, "is no class of components; there are \(known)")
            }
            let quoting = banks.filter { $0.rules[kind.pcr] != nil }
            guard quoting.count == banks.count else {
                throw reader.error(name, "needs PCR \(kind.pcr) in every bank (\(kind.pcr): ignore is enough)")
            }
            rules.append(try ComponentRule(reader.mapping(name), kind, banks.map(\.algorithm)))
        }
        return rules.sorted { $0.componentClass.pcr < $1.componentClass.pcr }
    }

    private init(_ reader: MappingReader, _ kind: ComponentClass, _ banks: [TPM.AlgorithmID]) throws(PolicyError) {
        var reader = reader, allowed: [Allowed] = []
        for element in try reader.optionalTextsOrMappings("allow") {
            // Each text of a boot is compared with each pattern.
            let limit = kind.isText ? 256 : 10_000
            guard allowed.count < limit else { throw reader.error("allow", "has more than \(limit) components") }
            allowed.append(try Allowed(element, kind, banks, reader))
        }
        let others: Others? = try reader.optionalChoice("others")
        try reader.end()
        self.init(componentClass: kind, allowed: allowed, others: others ?? .refuse)
    }
}

extension ComponentRule.Allowed {
    fileprivate init(
        _ element: MappingReader.Element, _ kind: ComponentClass, _ banks: [TPM.AlgorithmID], _ reader: MappingReader
    ) throws(PolicyError) {
        let text: String
        switch element {
        case .text(let plain):
            (text, name, window) = (plain, nil, .always)
        case .mapping(var members):
            text = try members.text(kind.isText ? "text" : "digest")
            name = try members.optionalText("name")
            window = try ValidityWindow(&members)
            try members.end()
        }
        if kind.isText {
            guard let pattern = IMAPathPattern(text), !pattern.isUnrestricted else {
                throw reader.error("allow", "has a text that is empty, too long, or matches everything")
            }
            match = .text(pattern)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let hash = parts.count == 2 ? TPM.AlgorithmID(hashNamed: String(parts[0]))?.hash : nil
        guard let hash, hash != .insecureSHA1, let digest = Hexadecimal.decode(parts[1]), digest.count == hash.byteCount
        else { throw reader.error("allow", "has \(text.prefix(80)), which is no digest like sha256:0123…") }
        guard kind == .authority ? hash == .sha256 : banks.contains(TPM.AlgorithmID(hash)) else {
            throw reader.error("allow", "has a digest of \(parts[0]), in which nothing of this class is quoted")
        }
        match = .digest(digest)
    }
}

extension IMARules {
    /// Reads `{list: required, mode: native, violations: refuse, others: refuse, allow: {...}, exclude: [...]}`.
    init(_ reader: MappingReader, _ banks: [Policy.Bank]) throws(PolicyError) {
        var reader = reader
        let number = try reader.optionalText("pcr") ?? "10"
        guard let pcr = Int(number), String(pcr) == number, (8..<16).contains(pcr) else {
            throw reader.error("pcr", "is not a PCR from 8 to 15")
        }
        self.pcr = pcr
        guard banks.allSatisfy({ $0.rules[pcr] == .ignore }) else {
            throw reader.error("", "needs PCR \(pcr) in every bank as ignore: its value changes with every file")
        }
        guard banks.allSatisfy({ bank in (0...9).allSatisfy { bank.rules[$0] != nil } }) else {
            throw reader.error("", "needs PCR 0 to 9 in every bank: the list's first entry ties it to their values")
        }
        let list = try reader.optionalText("list") ?? "required"
        guard list == "required" || list == "optional" else {
            throw reader.error("list", "is neither required nor optional")
        }
        isRequired = list == "required"
        let mode = try reader.optionalText("mode") ?? "native"
        guard mode == "native" || mode == "padded-sha1" else {
            throw reader.error("mode", "is neither native nor padded-sha1")
        }
        self.mode = mode == "native" ? .native : .paddedSHA1
        violations = try reader.optionalChoice("violations") ?? .refuse
        others = try reader.optionalChoice("others") ?? .refuse
        allowList = try Self.readAllowList(&reader)
        try reader.end()
    }

    private static func readAllowList(_ reader: inout MappingReader) throws(PolicyError) -> IMAAllowList {
        var digests: [IMADigest] = [], paths: [(path: [UInt8], digest: IMADigest)] = [], keys: [IMASigningKey] = []
        if var allow = try reader.optionalMapping("allow") {
            for text in try allow.optionalTexts("digests") { digests.append(try digest(text, allow, "digests")) }
            if var files = try allow.optionalMapping("files") {
                for path in files.names {
                    for text in try files.texts(path) {
                        paths.append((Array(path.utf8), try digest(text, files, path)))
                    }
                }
            }
            for text in try allow.optionalTexts("keys") {
                guard let der = Data(base64Encoded: text), let key = try? PublicKey(subjectPublicKeyInfo: Array(der)),
                    let signer = try? IMASigningKey(key)
                else {
                    throw allow.error("keys", "has a key that is no SubjectPublicKeyInfo in base64 that signs files")
                }
                keys.append(signer)
            }
            try allow.end()
        }
        let files = try reader.optionalPatterns("exclude"), buffers = try reader.optionalPatterns("exclude_buffers")
        do {
            return try IMAAllowList(
                digests: digests, paths: paths, keys: keys, excludedFiles: files, excludedBuffers: buffers)
        } catch {
            throw reader.error("allow", "has a digest of \(error.algorithm), which proves nothing")
        }
    }

    private static func digest(
        _ text: String, _ reader: MappingReader, _ name: String
    ) throws(PolicyError) -> IMADigest {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let algorithm = IMADigestAlgorithm(name: parts[0].utf8),
            let bytes = Hexadecimal.decode(parts[1]), let digest = IMADigest(.file, algorithm, bytes)
        else { throw reader.error(name, "has \(text.prefix(80)), which is no digest like sha256:0123…") }
        return digest
    }
}

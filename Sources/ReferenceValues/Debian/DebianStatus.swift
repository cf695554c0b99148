internal import StrictEncoding

/// Which packages are installed, and what their configuration files were when they came: `/var/lib/dpkg/status`.
public struct DebianStatus: Sendable {
    /// An installed package.
    public struct Package: Sendable {
        /// The name, as in `coreutils`.
        public let name: String
        /// The architecture, as in `amd64`.
        public let architecture: String
        /// The configuration files with the MD5 that the package brought, without those that it no longer brings.
        public let configurationFiles: [DebianChecksums.Entry]
    }

    /// The packages whose files are all there, in the order of the file.
    public let packages: [Package]

    /// The largest file that is read: 64 MiB.
    public static let maximumByteCount = 64 << 20

    /// Reads a whole file; `nil` for a line that is no field, a stanza without a name, a name that could leave its folder, and too many
    /// bytes.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.maximumByteCount else { return nil }
        var packages: [Package] = [], stanza = Stanza()
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if line.isEmpty {
                guard stanza.end(into: &packages) else { return nil }
                stanza = Stanza()
            } else if !stanza.read(line) {
                return nil
            }
        }
        guard stanza.end(into: &packages) else { return nil }
        self.packages = packages
    }
}

/// The fields of one package, line by line (deb-control(5)).
private struct Stanza {
    private var fields: [String: String] = [:]
    private var configurationFiles: [DebianChecksums.Entry] = []
    private var isEmpty = true
    private var isConfiguration = false

    /// Takes one line; whether it is one that may be here.
    mutating func read(_ line: ArraySlice<UInt8>) -> Bool {
        if line.first == 0x20 || line.first == 0x09 {
            if isConfiguration, let entry = Self.configurationFile(line) { configurationFiles.append(entry) }
            return !isEmpty
        }
        guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex else { return false }
        let name = String(decoding: line[..<colon], as: UTF8.self)
        isEmpty = false
        isConfiguration = name == "Conffiles"
        guard ["Package", "Architecture", "Status"].contains(name) else { return true }
        let value = String(decoding: line[(colon + 1)...].drop { $0 == 0x20 }, as: UTF8.self)
        return fields.updateValue(value, forKey: name) == nil
    }

    /// A path, its MD5, and perhaps a word: what is obsolete or to be removed is no longer the package's, and a new one has no checksum.
    private static func configurationFile(_ line: ArraySlice<UInt8>) -> DebianChecksums.Entry? {
        let words = line.split(separator: 0x20)
        guard words.count == 2, words[0].first == 0x2F, words[1].count == 32,
            let md5 = Hexadecimal.decode(String(decoding: words[1], as: UTF8.self))
        else { return nil }
        return DebianChecksums.Entry(path: Array(words[0]), md5: md5)
    }

    /// Adds the package if it is installed; false for a stanza that is none.
    func end(into packages: inout [DebianStatus.Package]) -> Bool {
        guard !isEmpty else { return true }
        guard let name = fields["Package"], let status = fields["Status"], Self.isName(name),
            Self.isName(fields["Architecture"] ?? "all")
        else { return false }
        let state = status.utf8.split(separator: 0x20).last.flatMap { String($0) } ?? ""
        guard ["installed", "triggers-awaited", "triggers-pending"].contains(state) else { return true }
        packages.append(
            .init(
                name: name, architecture: fields["Architecture"] ?? "all", configurationFiles: configurationFiles))
        return true
    }

    /// Lower-case letters, digits, and full stop, plus and minus, not at the beginning (Debian Policy §5.6.7).
    private static func isName(_ text: String) -> Bool {
        func isAlphanumeric(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        return text.utf8.first.map(isAlphanumeric) == true
            && text.utf8.allSatisfy { isAlphanumeric($0) || [0x2B, 0x2D, 0x2E].contains($0) }
    }
}

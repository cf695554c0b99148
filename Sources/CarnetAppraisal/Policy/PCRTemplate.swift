internal import PolicyDocument
internal import Cryptography
internal import StrictEncoding
public import TPM2

/// The PCR values of one firmware or one image of an operating system, uploaded by itself.
///
/// A policy that accepts templates takes a machine whose PCRs hold all values of one of them for what it names. So a fleet can be updated
/// by uploading a template, with no other step: a machine that failed for want of it passes at its next attestation.
public struct PCRTemplate: Sendable, Hashable {
    public let name: String
    public let window: ValidityWindow
    /// For each bank the value of each PCR that it names.
    public let banks: [TPM.AlgorithmID: [Int: [UInt8]]]
    /// The file's bytes.
    public let text: [UInt8]
    /// SHA-256 over ``text``.
    public let digest: [UInt8]

    /// The longest template that is read, in bytes.
    public static let maximumByteCount = 65_536

    /// Reads a template: `{version: 1, name: …, banks: {sha256: {0: …}}, from: …, until: …}`, and nothing else.
    public init(parsing bytes: [UInt8]) throws(PolicyError) {
        guard bytes.count <= Self.maximumByteCount, let text = String(validating: bytes, as: UTF8.self) else {
            throw PolicyError("", "the template is no UTF-8 of at most \(Self.maximumByteCount) bytes")
        }
        var root = try MappingReader(PolicyDocument.compose(text), path: "")
        guard try root.text("version") == "1" else { throw root.error("version", "is not 1") }
        name = try root.text("name")
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(Policy.isIdentifierCharacter) else {
            throw root.error("name", "is not 1 to 64 characters of a-z, 0-9, dot, dash and underscore")
        }
        window = try ValidityWindow(&root)
        var mapping = try root.mapping("banks")
        var banks: [TPM.AlgorithmID: [Int: [UInt8]]] = [:]
        for bank in try Policy.readBanks(&mapping) {
            for (pcr, rule) in bank.rules {
                guard case .values(let values) = rule, values.count == 1, values[0].window == .always else {
                    throw mapping.error("\(bank.algorithm)", "names PCR \(pcr) otherwise than by one value")
                }
                banks[bank.algorithm, default: [:]][pcr] = values[0].bytes
            }
        }
        try root.end()
        self.banks = banks
        self.text = bytes
        digest = HashAlgorithm.sha256.hash(bytes)
    }

    /// How tokens name it: `tag:carnet.dev,2026:pcr-template/<name>@sha256:<digest>`.
    public var identifier: String {
        "tag:carnet.dev,2026:pcr-template/\(name)@sha256:\(Hexadecimal.encode(digest))"
    }

    /// Whether a quote holds every value that the template names, at a time at which it counts.
    func holds(_ value: (_ pcr: Int, _ bank: TPM.AlgorithmID) -> [UInt8]?, at now: Int64) -> Bool {
        window.contains(now)
            && banks.allSatisfy { bank, values in values.allSatisfy { value($0.key, bank) == $0.value } }
    }

    /// Whether it says something about a PCR.
    func names(_ pcr: Int, _ bank: TPM.AlgorithmID) -> Bool { banks[bank]?[pcr] != nil }
}

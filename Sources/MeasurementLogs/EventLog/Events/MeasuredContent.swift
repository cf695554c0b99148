internal import Cryptography
public import TPM2

/// What was measured, told by the digest and by data that the digest covers. The event's type, which no digest covers, has no say.
public enum MeasuredContent: Sendable {
    /// Four bytes of zeros or of ones: the firmware hands over (PC Client Platform Firmware Profile 1.06, §10.4.1).
    case separator
    /// The digest that stands for an error of the firmware, in either byte order of the number 1.
    case errorSeparator
    /// A firmware variable whose every byte is covered.
    case variable(UEFIVariable)
    /// Who verified an image, as shim of 2021 and before logs it: its lengths are wrong, and the digest covers all but the last byte.
    case shimAuthority
    /// Other data that the digest covers.
    case data(ArraySlice<UInt8>)
    /// The digest covers something that the log does not hold.
    case opaque
}

extension Event {
    /// What a bank measured by this event.
    public func content(in bank: TPM.AlgorithmID) -> MeasuredContent {
        bank.hash.map { content(in: bank, RepeatedHash($0)) } ?? .opaque
    }

    /// The same, for many events with one hash context.
    func content(in bank: TPM.AlgorithmID, _ hash: borrowing RepeatedHash) -> MeasuredContent {
        guard let digest = digest(in: bank), isMeasured else { return .opaque }
        switch SeparatorDigests.of(hash.algorithm).kind(digest) {
        case .ordinary: return .separator
        case .error: return .errorSeparator
        case nil: break
        }
        let data = untrustedData
        if hash.covers(data, digest: digest) {
            return UEFIVariable(parsing: data).map { .variable($0) } ?? .data(data)
        }
        let isShims = data.starts(with: UEFIVariable.shimVendor) && data.count > 32
        return isShims && hash.covers(data.dropLast(), digest: digest) ? .shimAuthority : .opaque
    }

    /// Whether the digest is a separator's, ordinary or of an error, whatever the event is called; `nil` for another digest.
    public func isSeparator(in bank: TPM.AlgorithmID) -> SeparatorKind? {
        guard let digest = digest(in: bank), let hash = bank.hash, isMeasured else { return nil }
        return SeparatorDigests.of(hash).kind(digest)
    }
}

/// What a separator says.
public enum SeparatorKind: Sendable, Hashable {
    /// The firmware handed over.
    case ordinary
    /// The firmware failed.
    case error
}

/// The digests of separators in one bank.
private struct SeparatorDigests: Sendable {
    /// Two ordinary ones, then two of errors.
    private let digests: [[UInt8]]

    private init(_ hash: HashAlgorithm) {
        digests = [[0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [1, 0, 0, 0], [0, 0, 0, 1]].map { hash.hash($0) }
    }

    func kind(_ digest: ArraySlice<UInt8>) -> SeparatorKind? {
        for index in digests.indices where digests[index].first == digest.first {
            if digests[index].elementsEqual(digest) { return index < 2 ? .ordinary : .error }
        }
        return nil
    }

    private static let sha1 = SeparatorDigests(.insecureSHA1)
    private static let sha256 = SeparatorDigests(.sha256)
    private static let sha384 = SeparatorDigests(.sha384)
    private static let sha512 = SeparatorDigests(.sha512)

    static func of(_ hash: HashAlgorithm) -> SeparatorDigests {
        switch hash {
        case .insecureSHA1: sha1
        case .sha256: sha256
        case .sha384: sha384
        case .sha512: sha512
        }
    }
}

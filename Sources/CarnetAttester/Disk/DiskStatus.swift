internal import CarnetEvidence
public import Foundation

/// What a volume's header says, and whether the TPM would open it now.
public struct DiskStatus: Sendable, Encodable {
    /// A token of Carnet.
    public struct Token: Sendable, Encodable {
        public let number: Int
        /// Under which name it is escrowed.
        public let volume: String
        public let sealedAt: Date
        /// The PCRs, as `sha256:7`; absent where no state opens it.
        public let pcrs: String?
        public let hasPIN: Bool
        /// The PCRs that hold other values now; `nil` when there was no TPM to ask.
        public let changed: [String]?
        /// Why `disk unlock` takes it only with `--pcrs`, or never; absent when it does.
        public let refusal: String?
    }

    public let uuid: String
    public let cipher: String
    public let keyslots: [Int]
    /// Carnet's tokens, the newest first.
    public let tokens: [Token]
    /// The types of others' tokens.
    public let otherTokens: [String]

    /// Reads a volume's header.
    ///
    /// - Parameter device: Says which PCRs changed; `nil` where there is none.
    public init(_ volume: VolumeFile, device: TPMDevice?) throws {
        let header = try volume.header()
        uuid = header.uuid
        cipher = header.cipher
        keyslots = header.keyslots.sorted()
        otherTokens = header.tokens.values.filter { $0.disk == nil }.map(\.type).sorted()
        tokens = try DiskTokens.list(header).map { token in
            var pcrs: String?, changed: [String]?
            if case .state(let sealed) = token.disk.sealed.policy.condition {
                pcrs = sealed.selection.text
                changed = try device.map { try sealed.changes(in: $0.state(sealed.selection)) }
            }
            return Token(
                number: token.number, volume: token.disk.volume,
                sealedAt: Date(timeIntervalSince1970: TimeInterval(token.disk.sealedAt)),
                pcrs: pcrs,
                hasPIN: token.disk.sealed.policy.hasPIN, changed: changed,
                refusal: token.disk.sealed.policy.condition == .pin
                    ? nil : TokenDemand(nil).refusal(of: token.disk.sealed.policy))
        }
    }
}

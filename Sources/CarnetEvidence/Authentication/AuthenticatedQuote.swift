public import TPM2

/// A quote that an enrolled key signed, fresh, over exactly the PCRs that were asked for. Only ``UnverifiedQuote`` makes one.
public struct AuthenticatedQuote: Sendable {
    /// The attestation key's name.
    public let attestationKey: TPM.Name
    public let pcrs: VerifiedPCRs
    /// The boot and the time, to be kept and compared with the next.
    public let counters: BootCounters
    /// Whether the machine booted since the counters that were kept.
    public let isNewBoot: Bool
    /// The TPM's firmware version.
    public let firmwareVersion: UInt64
    public let keys: BoundKeys
    /// The nonce that the quote answers.
    public let nonce: [UInt8]
    /// The firmware's log, which no signature covers by itself.
    public let eventLog: [UInt8]?
    /// systemd's log of what user space measured.
    public let runtimeLog: [UInt8]?
    /// The kernel's list of files, or a part of it.
    public let ima: Evidence.IMA?

    init(
        _ quote: UnverifiedQuote, pcrs: VerifiedPCRs, keys: BoundKeys, nonce: [UInt8], previous: BootCounters?
    ) {
        attestationKey = quote.evidence.attestationKey
        self.pcrs = pcrs
        counters = BootCounters(quote.attest.clockInfo)
        isNewBoot = previous?.resetCount != quote.attest.clockInfo.resetCount
        firmwareVersion = quote.attest.firmwareVersion
        self.keys = keys
        self.nonce = nonce
        eventLog = quote.evidence.eventLog
        runtimeLog = quote.evidence.runtimeLog
        ima = quote.evidence.ima
    }

    init(_ quote: AuthenticatedQuote, pcrs: VerifiedPCRs) {
        attestationKey = quote.attestationKey
        self.pcrs = pcrs
        counters = quote.counters
        isNewBoot = quote.isNewBoot
        firmwareVersion = quote.firmwareVersion
        keys = quote.keys
        nonce = quote.nonce
        eventLog = quote.eventLog
        runtimeLog = quote.runtimeLog
        ima = quote.ima
    }
}

/// What became of a quote's authentication.
public enum Authentication: Sendable {
    case authentic(AuthenticatedQuote)
    /// The chain of evidence is broken; there is at least one finding.
    case broken([Finding])
}

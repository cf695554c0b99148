extension TPM {
    /// What a TPM signs when it attests (`TPMS_ATTEST`, Part 2 §10.12.12): a quote, a certified key, a creation.
    ///
    /// Reading the fields proves nothing about who wrote them: check the signature over ``bytes`` first, and that the signing
    /// key is restricted, since only a restricted key cannot sign a forgery that begins with the magic number.
    public struct Attest: Sendable, Hashable {
        /// The signed bytes, without a TPM2B size.
        public let bytes: [UInt8]
        /// The signer's qualified name; empty when the signer is not named.
        public let qualifiedSigner: [UInt8]
        /// The caller's qualifying data, 0 to 64 bytes.
        public let extraData: [UInt8]
        public let clockInfo: ClockInfo
        /// The maker's firmware version; masked for keys outside the endorsement and platform hierarchies.
        public let firmwareVersion: UInt64
        public let attested: Attested

        /// What is attested, by the structure's type.
        public enum Attested: Sendable, Hashable {
            case quote(QuoteInfo)
            case certify(CertifyInfo)
            case creation(CreationInfo)
        }

        /// `TPM_GENERATED_VALUE`: begins everything that a TPM makes and signs itself.
        public static let magic: UInt32 = 0xFF54_4347

        /// Reads one structure and requires that it fills `bytes` exactly.
        public init(parsing bytes: [UInt8]) throws(ParseError) {
            var reader = Reader(bytes)
            let magic = try reader.uint32("magic")
            guard magic == Self.magic else {
                throw .invalid(field: "magic", reason: "is 0x\(String(magic, radix: 16)), not TPM_GENERATED_VALUE")
            }
            let type = try reader.uint16("type")
            qualifiedSigner = try reader.sized("qualifiedSigner", maximum: 66)
            extraData = try reader.sized("extraData", maximum: 64)
            clockInfo = try ClockInfo(reading: &reader)
            firmwareVersion = try reader.uint64("firmwareVersion")
            attested =
                switch type {
                case 0x8018: .quote(try QuoteInfo(reading: &reader))
                case 0x8017: .certify(try CertifyInfo(reading: &reader))
                case 0x801A: .creation(try CreationInfo(reading: &reader))
                default: throw .unsupported(field: "type", value: UInt32(type))
                }
            try reader.end()
            self.bytes = bytes
        }
    }

    /// `TPMS_CLOCK_INFO` (Part 2 §10.11.1).
    public struct ClockInfo: Sendable, Hashable {
        /// Milliseconds that the TPM has been powered, over its life.
        public let clock: UInt64
        /// How often the TPM was reset: a boot epoch.
        public let resetCount: UInt32
        /// How often it was resumed or restarted since the last reset.
        public let restartCount: UInt32
        /// Whether the clock is certain never to have shown a larger value.
        public let safe: Bool

        init(reading reader: inout Reader) throws(ParseError) {
            clock = try reader.uint64("clockInfo.clock")
            resetCount = try reader.uint32("clockInfo.resetCount")
            restartCount = try reader.uint32("clockInfo.restartCount")
            let flag = try reader.uint8("clockInfo.safe")
            guard flag <= 1 else { throw .invalid(field: "clockInfo.safe", reason: "is \(flag), neither NO nor YES") }
            safe = flag == 1
        }
    }
}

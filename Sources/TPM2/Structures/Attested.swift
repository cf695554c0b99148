extension TPM {
    /// `TPMS_QUOTE_INFO` (Part 2 §10.12.1): the PCRs that were quoted and the digest of their values.
    public struct QuoteInfo: Sendable, Hashable {
        public let selection: PCRSelectionList
        /// H(values in the order of the selection, ascending inside a bank), H being the signing scheme's hash.
        public let pcrDigest: [UInt8]

        init(reading reader: inout Reader) throws(ParseError) {
            selection = try PCRSelectionList(reading: &reader)
            pcrDigest = try reader.sized("pcrDigest", maximum: 64)
        }
    }

    /// `TPMS_CERTIFY_INFO` (Part 2 §10.12.3): a key that is loaded in the TPM.
    public struct CertifyInfo: Sendable, Hashable {
        /// The key's name, to be compared with the name computed from its public area.
        public let name: [UInt8]
        public let qualifiedName: [UInt8]

        init(reading reader: inout Reader) throws(ParseError) {
            name = try reader.sized("name", maximum: 66)
            qualifiedName = try reader.sized("qualifiedName", maximum: 66)
        }
    }

    /// `TPMS_CREATION_INFO` (Part 2 §10.12.7): a key that this TPM made, and the digest of the circumstances.
    public struct CreationInfo: Sendable, Hashable {
        public let objectName: [UInt8]
        public let creationHash: [UInt8]

        init(reading reader: inout Reader) throws(ParseError) {
            objectName = try reader.sized("objectName", maximum: 66)
            creationHash = try reader.sized("creationHash", maximum: 64)
        }
    }
}

/// What an NV index with certificates holds: DER certificates one after another, then perhaps padding.
enum CertificateArea {
    /// The certificates, each as long as its own DER length says. Whatever is not a DER SEQUENCE ends the list.
    static func certificates(in bytes: [UInt8]) -> [[UInt8]] {
        var rest = bytes[...]
        var certificates: [[UInt8]] = []
        while let count = sequenceByteCount(rest), certificates.count < 16 {
            certificates.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return certificates
    }

    /// The length of the SEQUENCE at the front with its header, or `nil` when there is none, or it runs past the end (X.690 §8.1.3).
    private static func sequenceByteCount(_ bytes: ArraySlice<UInt8>) -> Int? {
        let header = Array(bytes.prefix(4))
        guard header.count == 4, header[0] == 0x30 else { return nil }
        let (headerCount, count): (Int, Int)
        switch header[1] {
        case 0..<0x80: (headerCount, count) = (2, Int(header[1]))
        case 0x81: (headerCount, count) = (3, Int(header[2]))
        case 0x82: (headerCount, count) = (4, Int(header[2]) << 8 | Int(header[3]))
        default: return nil
        }
        guard count > 0, headerCount + count <= bytes.count else { return nil }
        return headerCount + count
    }
}

public import Cryptography

extension PEImage {
    /// The Authenticode digest: what a signature covers, and what firmware measures into PCR 4 when it loads the image.
    ///
    /// Everything but the checksum, the certificate table's directory entry and the certificates: headers, sections in the order of
    /// the file, then what follows the last section (Microsoft, Windows Authenticode Portable Executable Signature Format, "Calculating
    /// the PE Image Hash"). Gaps between sections are not covered, as in firmware.
    public func authenticodeDigest(_ algorithm: HashAlgorithm) -> [UInt8] {
        var hash = IncrementalHash(algorithm)
        hash.update(bytes[..<checksum])
        if let entry = certificateEntry {
            hash.update(bytes[(checksum + 4)..<entry])
            hash.update(bytes[(entry + 8)..<headerByteCount])
        } else {
            hash.update(bytes[(checksum + 4)..<headerByteCount])
        }
        // Firmware counts the bytes that it hashed, and takes what lies behind that count for the rest.
        var hashed = headerByteCount
        let ordered = sections.filter { !$0.range.isEmpty }.sorted { $0.range.lowerBound < $1.range.lowerBound }
        for section in ordered {
            hash.update(bytes[section.range])
            hashed += section.range.count
        }
        if hashed < certificates.lowerBound { hash.update(bytes[hashed..<certificates.lowerBound]) }
        return hash.finalize()
    }

    /// Whether the file carries certificates. Nothing is said about what they are worth.
    public var isSigned: Bool { !certificates.isEmpty }

    /// A section's bytes as they are loaded: without the padding of the file; `nil` when there is no section of this name, or several.
    public func content(ofSection name: String) -> ArraySlice<UInt8>? {
        let found = sections.filter { $0.name == name }
        guard found.count == 1, let section = found.first else { return nil }
        let size = section.virtualByteCount == 0 ? section.range.count : section.virtualByteCount
        return bytes[section.range].prefix(size)
    }
}

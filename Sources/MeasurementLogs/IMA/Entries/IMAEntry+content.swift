internal import Cryptography

extension IMAEntry {
    /// The fields of the template data, in order; of the template `ima`, the digest and the name.
    public var fields: [ArraySlice<UInt8>] {
        guard !isLegacy else { return [templateData.prefix(20), templateData.dropFirst(24)] }
        return Self.split(templateData) ?? []
    }

    /// What the entry says.
    ///
    /// Deciding between a signed file and a buffer hashes the third field: the kernel fills a buffer's entry with the buffer's own
    /// digest, and a signature's field only with attributes of a signature's type.
    public var content: IMAContent {
        let fields = fields
        guard !isViolation else { return .violation(untrustedName: untrustedViolationName(fields)) }
        guard !isLegacy else { return legacyContent(fields) }
        guard fields.count >= 2, let digest = IMADigest(field: fields[0]), let name = IMAName(field: fields[1]) else {
            return .unreadable("the first two fields are not a digest and a name")
        }
        switch fields.count {
        case 2: return .file(IMAFile(digest: digest, name: name, signatureField: []))
        case 3: return Self.fileOrBuffer(digest, name, fields[2])
        case 5: return Self.fileWithAppendedSignature(digest, name, fields)
        default: return .unreadable("\(fields.count) fields are none of the templates that Carnet reads")
        }
    }

    private static func fileOrBuffer(
        _ digest: IMADigest, _ name: IMAName, _ third: ArraySlice<UInt8>
    ) -> IMAContent {
        let file = IMAFile(digest: digest, name: name, signatureField: third)
        // The kernel measures no empty buffer.
        guard !third.isEmpty else { return .file(file) }
        let buffer = IMABuffer(digest: digest.of(.buffer), name: name, data: third)
        let isBuffer = digest.kind == .file && digest.algorithm.hash?.hash(third).elementsEqual(digest.bytes) == true
        switch (IMASignature.isPossible(third), isBuffer) {
        case (true, false): return .file(file)
        case (false, true): return .buffer(buffer)
        case (true, true): return .ambiguous(file, buffer)
        case (false, false): return .unreadable("the third field is neither a signature nor what the digest covers")
        }
    }

    private static func fileWithAppendedSignature(
        _ digest: IMADigest, _ name: IMAName, _ fields: [ArraySlice<UInt8>]
    ) -> IMAContent {
        guard IMASignature.isPossible(fields[2]) else { return .unreadable("the third field is not a signature") }
        var file = IMAFile(digest: digest, name: name, signatureField: fields[2])
        if fields[3].isEmpty && fields[4].isEmpty { return .file(file) }
        guard let signed = IMADigest(field: fields[3]), signed.kind == .file, !fields[4].isEmpty else {
            return .unreadable("the appended signature's digest cannot be read")
        }
        file.appendedSignature = IMAFile.AppendedSignature(digest: signed, message: fields[4])
        return .file(file)
    }

    /// The template `ima` hashes no lengths: where its 276 bytes are another template's fields too, nobody can tell which it was.
    private func legacyContent(_ fields: [ArraySlice<UInt8>]) -> IMAContent {
        guard let digest = IMADigest(.file, .sha1, fields[0]), !fields[1].isEmpty else {
            return .unreadable("the entry has no name")
        }
        if let others = Self.split(hashedData[...]), let first = others.first, IMADigest(field: first) != nil {
            return .unreadable("the bytes are an entry of another template, too")
        }
        return .file(IMAFile(digest: digest, name: IMAName(bytes: fields[1]), signatureField: []))
    }

    private func untrustedViolationName(_ fields: [ArraySlice<UInt8>]) -> IMAName? {
        guard fields.count >= 2 else { return nil }
        return isLegacy ? IMAName(bytes: fields[1]) : IMAName(field: fields[1])
    }

    private static func split(_ data: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        var fields: [ArraySlice<UInt8>] = []
        fields.reserveCapacity(3)
        var position = data.startIndex
        while position < data.endIndex {
            guard data.endIndex - position >= 4, fields.count < IMAList.maximumFieldCount else { return nil }
            let count = (0..<4).reduce(0) { $0 | Int(data[position + $1]) << (8 * $1) }
            position += 4
            guard count <= data.endIndex - position else { return nil }
            fields.append(data[position..<(position + count)])
            position += count
        }
        return fields
    }
}

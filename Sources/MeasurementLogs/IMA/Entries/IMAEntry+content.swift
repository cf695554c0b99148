internal import Cryptography

extension IMAEntry {
    /// The fields of the template data, in order; of the template `ima`, the digest and the name.
    public var fields: [ArraySlice<UInt8>] {
        guard !isLegacy else { return [templateData.prefix(20), templateData.dropFirst(24)] }
        var fields = IMAFields(templateData)
        var all: [ArraySlice<UInt8>] = []
        while let field = fields.next() { all.append(field) }
        return all
    }

    /// What the entry says.
    ///
    /// Deciding between a signed file and a buffer hashes the third field: the kernel fills a buffer's entry with the buffer's own
    /// digest, and a signature's field only with attributes of a signature's type.
    public var content: IMAContent {
        guard !isViolation else { return .violation(untrustedName: untrustedViolationName) }
        guard !isLegacy else { return legacyContent }
        var fields = IMAFields(templateData)
        guard let first = fields.next(), let digest = IMADigest(field: first), let second = fields.next(),
            let name = IMAName(field: second)
        else { return .unreadable("the first two fields are not a digest and a name") }
        guard let third = fields.next() else { return .file(IMAFile(digest: digest, name: name, signatureField: [])) }
        guard let fourth = fields.next() else { return Self.fileOrBuffer(digest, name, third) }
        guard let fifth = fields.next(), fields.isAtEnd else {
            return .unreadable("so many fields are none of the templates that Carnet reads")
        }
        return Self.fileWithAppendedSignature(digest, name, third, signed: fourth, message: fifth)
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
        _ digest: IMADigest, _ name: IMAName, _ signature: ArraySlice<UInt8>, signed: ArraySlice<UInt8>,
        message: ArraySlice<UInt8>
    ) -> IMAContent {
        guard IMASignature.isPossible(signature) else { return .unreadable("the third field is not a signature") }
        var file = IMAFile(digest: digest, name: name, signatureField: signature)
        if signed.isEmpty && message.isEmpty { return .file(file) }
        guard let digest = IMADigest(field: signed), digest.kind == .file, !message.isEmpty else {
            return .unreadable("the appended signature's digest cannot be read")
        }
        file.appendedSignature = IMAFile.AppendedSignature(digest: digest, message: message)
        return .file(file)
    }

    /// The template `ima` hashes a digest of 20 bytes and a name without zeros. Another template's data begins with a longer field and
    /// goes on with a length, which has zeros in it: what was measured under one is never read under the other.
    private var legacyContent: IMAContent {
        let name = templateData.dropFirst(24)
        guard let digest = IMADigest(.file, .sha1, templateData.prefix(20)), !name.isEmpty else {
            return .unreadable("the entry has no name")
        }
        return .file(IMAFile(digest: digest, name: IMAName(bytes: name), signatureField: []))
    }

    private var untrustedViolationName: IMAName? {
        let fields = fields
        guard fields.count >= 2 else { return nil }
        return isLegacy ? IMAName(bytes: fields[1]) : IMAName(field: fields[1])
    }
}

/// Goes through the fields of template data: each has its length in front of it.
struct IMAFields {
    private let data: ArraySlice<UInt8>
    private var position: Int

    init(_ data: ArraySlice<UInt8>) {
        self.data = data
        position = data.startIndex
    }

    /// Whether every byte belongs to a field that was read.
    var isAtEnd: Bool { position == data.endIndex }

    /// The next field; `nil` at the end, and where a length runs past it.
    mutating func next() -> ArraySlice<UInt8>? {
        guard data.endIndex - position >= 4 else { return nil }
        let start = position + 4
        let count = (0..<4).reduce(0) { $0 | Int(data[position + $1]) << (8 * $1) }
        guard count <= data.endIndex - start else { return nil }
        position = start + count
        return data[start..<position]
    }
}

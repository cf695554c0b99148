internal import Cryptography
internal import StrictEncoding

extension ReferenceSet {
    /// The set as JSON: compact, members and values in one order, so that equal sets have equal bytes.
    ///
    /// - Throws: ``ReferenceSetError/tooLarge(_:)`` for more bytes than ``init(parsing:)`` reads.
    public func bytes() throws(ReferenceSetError) -> [UInt8] {
        let bytes = json()
        guard bytes.count <= Self.maximumByteCount else {
            throw .tooLarge("\(bytes.count) bytes; at most \(Self.maximumByteCount) are written")
        }
        return bytes
    }

    /// SHA-256 of ``bytes()``: the set's name that nobody else can have.
    ///
    /// - Throws: ``ReferenceSetError/tooLarge(_:)``.
    public func digest() throws(ReferenceSetError) -> [UInt8] { HashAlgorithm.sha256.hash(try bytes()) }

    private func json() -> [UInt8] {
        var writer = JSONWriter(reserving: 512 + components.count * 192 + files.count * 160)
        writer.object { writer in
            writer.integer("version", 1)
            writer.string("name", name)
            writer.string("description", description)
            writer.array("components") { writer in
                for component in components {
                    writer.object { writer in
                        writer.string("class", component.type.rawValue)
                        writer.string("digest", component.digest.description)
                        writer.string("name", component.name)
                        if let from = component.window.from { writer.string("from", RFC3339.format(from)) }
                        if let until = component.window.until { writer.string("until", RFC3339.format(until)) }
                    }
                }
            }
            writer.array("files") { writer in
                for file in files {
                    writer.object { writer in
                        writer.string("path", String(decoding: file.path, as: UTF8.self))
                        writer.string("digest", file.digest.description)
                    }
                }
            }
        }
        return writer.bytes
    }
}

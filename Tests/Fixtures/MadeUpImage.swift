/// Images made by hand: headers of 1,024 bytes, and sections of whole 512 bytes.
public enum MadeUpImage {
    /// An image with these sections.
    public static func bytes(_ sections: [(String, [UInt8])]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1024)
        func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        func put(_ new: [UInt8], _ offset: Int) { bytes.replaceSubrange(offset..<(offset + new.count), with: new) }
        put(Array("MZ".utf8), 0)
        put([64], 0x3C)
        put([0x50, 0x45, 0, 0, 0x64, 0x86, UInt8(sections.count), 0], 64)
        put([240, 0, 0, 0, 0x0B, 0x02], 84)
        put(number(1024), 88 + 60)
        put([16], 88 + 108)
        for (index, (name, content)) in sections.enumerated() {
            let entry = 88 + 240 + index * 40
            let padded = content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
            put(Array(name.utf8), entry)
            put(number(content.count) + [0, 0, 0, 0] + number(padded.count) + number(bytes.count), entry + 8)
            bytes += padded
        }
        return bytes
    }

    /// An image with one section that is this text.
    public static func kernel(_ text: String) -> [UInt8] { bytes([(".text", Array(text.utf8))]) }

    /// A unified kernel image whose kernel is ``kernel(_:)``.
    public static func unified(_ text: String, _ line: String, _ initrd: String, more: [(String, [UInt8])] = [])
        -> [UInt8]
    {
        bytes(
            [
                (".text", [1]), (".linux", kernel(text)), (".cmdline", Array(line.utf8)),
                (".initrd", Array(initrd.utf8)),
            ] + more)
    }
}

/// A command or a command line that GRUB ran, as it is measured into PCR 8.
public struct GRUBCommand: Sendable {
    /// `grub_cmd`, `kernel_cmdline` or `module_cmdline`: a label that is not measured.
    public let untrustedLabel: String
    /// The text that GRUB hashes: what follows the label, without the terminating zero.
    public let measuredText: ArraySlice<UInt8>

    /// Reads an event's data; `nil` when it has none of GRUB's labels.
    public init?(parsing data: ArraySlice<UInt8>) {
        for (label, prefix) in Self.labels where data.starts(with: prefix) {
            untrustedLabel = label
            let text = data.dropFirst(prefix.count)
            measuredText = text.last == 0 ? text.dropLast() : text
            return
        }
        return nil
    }

    private static let labels = ["grub_cmd", "kernel_cmdline", "module_cmdline"].map { ($0, Array(($0 + ": ").utf8)) }
}

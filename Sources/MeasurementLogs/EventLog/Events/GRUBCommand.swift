/// A command or a command line that GRUB ran, as it is measured into PCR 8.
public struct GRUBCommand: Sendable {
    /// `grub_cmd`, `kernel_cmdline` or `module_cmdline`: a label that is not measured.
    public let untrustedLabel: String
    /// The text that GRUB hashes: what follows the label, without the terminating zero.
    public let measuredText: ArraySlice<UInt8>

    /// Reads an event's data; `nil` when it has none of GRUB's labels.
    public init?(parsing data: ArraySlice<UInt8>) {
        for label in ["grub_cmd", "kernel_cmdline", "module_cmdline"] where data.starts(with: (label + ": ").utf8) {
            untrustedLabel = label
            let text = data.dropFirst(label.utf8.count + 2)
            measuredText = text.last == 0 ? text.dropLast() : text
            return
        }
        return nil
    }
}

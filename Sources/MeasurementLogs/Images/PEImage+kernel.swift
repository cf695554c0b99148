public import Cryptography

extension PEImage {
    /// The sections of a unified kernel image that systemd-stub measures into PCR 11, in its order (UAPI.5 Unified Kernel Image;
    /// `unified_sections` in systemd). Not among them is `.pcrsig`, which signs what PCR 11 will be.
    public static let measuredSections = [
        ".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname", ".sbat", ".pcrpkey",
        ".profile",
        ".dtbauto", ".hwids", ".efifw",
    ]

    /// Whether the image holds a kernel, as systemd-stub's do.
    public var isUnifiedKernelImage: Bool { content(ofSection: ".linux") != nil }

    /// What systemd-stub extends PCR 11 with: for each section that the image has, the digest of its name with a zero, then that of
    /// its content.
    ///
    /// For images with one section of each name. Images with profiles or with several DeviceTrees choose among them when they run.
    ///
    /// - Parameter names: The sections that the stub knows, in its order. Stubs before systemd 253 know neither `.uname` nor `.sbat`.
    public func sectionDigests(_ algorithm: HashAlgorithm, of names: [String] = measuredSections) -> [[UInt8]] {
        names.flatMap { name -> [[UInt8]] in
            guard let content = content(ofSection: name) else { return [] }
            return [algorithm.hash(Array(name.utf8) + [0]), algorithm.hash(content)]
        }
    }

    /// What PCR 11 holds when the stub hands over to the kernel, before the running system measures its phases.
    public func predictedPCR11(_ algorithm: HashAlgorithm, of names: [String] = measuredSections) -> [UInt8] {
        var value = [UInt8](repeating: 0, count: algorithm.byteCount)
        for digest in sectionDigests(algorithm, of: names) { algorithm.extend(&value, with: digest) }
        return value
    }
}

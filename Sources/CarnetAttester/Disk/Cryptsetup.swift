internal import Foundation

/// The system's cryptsetup, run as a program. Keys go to it through pipes, never as words or variables, which others can read.
struct Cryptsetup: Sendable {
    /// How long it may take, in seconds: Argon2 on a slow machine takes many.
    private static let patience = 180
    private static let places = ["/usr/sbin/", "/sbin/", "/usr/bin/", "/usr/local/sbin/"]
    private let path: String

    /// - Throws: ``DiskError`` when it is not installed.
    init() throws(DiskError) {
        let candidates = Self.places.map { $0 + "cryptsetup" }
        guard let path = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw DiskError(
                .unavailable,
                "cryptsetup is not installed. Install it (Debian: apt-get install cryptsetup-bin), and try again.")
        }
        self.path = path
    }

    /// The keyslot that a key opens; `nil` when it opens none.
    func keyslot(openedBy key: [UInt8], of volume: VolumeFile, _ header: HeaderCopy) throws(DiskError) -> Int? {
        let ending = try run(
            [
                .text("open"), .text("--test-passphrase"), .text("--verbose"), .text("--type"), .text("luks2"),
                .text("--disable-external-tokens"), .text("--key-file"), .text("-"), .text("--header"),
                .file(header.descriptor), .file(volume.descriptor),
            ], input: key)
        if ending.status == 2 { return nil }
        guard ending.status == 0, let slot = ending.number(between: "Key slot ", and: " unlocked.") else {
            throw failure("try a key on \(volume.path)", ending)
        }
        return slot
    }

    /// Opens the volume as `/dev/mapper/NAME`.
    func open(_ volume: VolumeFile, _ header: HeaderCopy, with key: [UInt8], as name: String) throws(DiskError) {
        let ending = try run(
            [
                .text("open"), .text("--type"), .text("luks2"), .text("--disable-external-tokens"), .text("--key-file"),
                .text("-"), .text("--header"), .file(header.descriptor), .file(volume.descriptor), .text(name),
            ], input: key)
        guard ending.status == 0 else { throw failure("open \(volume.path) as \(name)", ending) }
    }

    /// Adds a keyslot for a key of 32 random bytes, which needs no slow derivation.
    func addKey(_ key: [UInt8], to volume: VolumeFile, knowing existing: [UInt8]) throws(DiskError) {
        let ending = try run([
            .text("luksAddKey"), .text("--batch-mode"), .text("--disable-external-tokens"), .text("--pbkdf"),
            .text("pbkdf2"), .text("--hash"), .text("sha256"), .text("--pbkdf-force-iterations"), .text("1000"),
            .text("--key-file"), .secret(existing), .file(volume.descriptor), .secret(key),
        ])
        guard ending.status != 2 else {
            throw DiskError(
                .refused, "The key in --key-file opens no keyslot of \(volume.path). Name the file of one that does.")
        }
        guard ending.status == 0 else { throw failure("add a keyslot to \(volume.path)", ending) }
    }

    /// Removes a keyslot.
    func removeKeyslot(_ keyslot: Int, of volume: VolumeFile) throws(DiskError) {
        let ending = try run([
            .text("luksKillSlot"), .text("--batch-mode"), .file(volume.descriptor), .text(String(keyslot)),
        ])
        guard ending.status == 0 else { throw failure("remove keyslot \(keyslot) of \(volume.path)", ending) }
    }

    /// Adds a token.
    func importToken(_ json: [UInt8], to volume: VolumeFile) throws(DiskError) {
        let ending = try run(
            [.text("token"), .text("import"), .text("--json-file"), .text("-"), .file(volume.descriptor)], input: json)
        guard ending.status == 0 else { throw failure("add a token to \(volume.path)", ending) }
    }

    /// Removes a token.
    func removeToken(_ number: Int, of volume: VolumeFile) throws(DiskError) {
        let ending = try run([
            .text("token"), .text("remove"), .text("--token-id"), .text(String(number)), .file(volume.descriptor),
        ])
        guard ending.status == 0 else { throw failure("remove token \(number) of \(volume.path)", ending) }
    }

    private func run(_ words: [SpawnedProgram.Word], input: [UInt8] = []) throws(DiskError) -> SpawnedProgram.Ending {
        try SpawnedProgram(path: path, words: words, input: input, patience: Self.patience).run()
    }

    private func failure(_ task: String, _ ending: SpawnedProgram.Ending) -> DiskError {
        let said = ending.errors.split(separator: "\n").first.map { ": \($0)" } ?? ""
        let next =
            switch ending.status {
            case 3: "Free some memory, and try again."
            case 4: "Check that the device is there and that you may write to it (root)."
            case 5: "It is open already, or another program uses it."
            default: "Try the same with cryptsetup itself to see more."
            }
        return DiskError(
            .unavailable,
            "cryptsetup could not \(task) (status \(ending.status))\(said.hasSuffix(".") ? said : said + ".") \(next)")
    }
}

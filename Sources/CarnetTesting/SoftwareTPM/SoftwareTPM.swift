internal import Foundation
internal import Synchronization
public import TPM2

/// A TPM 2.0 in software (swtpm, libtpms) with a temporary state of its own, for one test.
///
/// It is powered off and forgotten when the value is. It serves one connection at a time: close a device before calling a method
/// here, and before letting another program in.
public final class SoftwareTPM: Sendable {
    /// Where its state, certificates and socket are.
    public let directory: String
    private let ownsDirectory: Bool
    private let process: Mutex<SoftwareTPMProcess?>

    /// A fresh copy of a TPM that ``TPMManufacturer`` made once in this process: same endorsement key, own state.
    public convenience init(_ manufacturer: TPMManufacturer = TPMManufacturer()) throws {
        let prototype = try Prototypes.shared.directory(of: manufacturer)
        let directory = Self.temporaryPath()
        try FileManager.default.copyItem(atPath: prototype, toPath: directory)
        try self.init(directory: directory, ownsDirectory: true)
    }

    /// A TPM of its own that shares nothing with others, endorsement keys and authority included.
    public convenience init(unique manufacturer: TPMManufacturer) throws {
        let directory = Self.temporaryPath()
        try manufacturer.make(in: directory)
        try self.init(directory: directory, ownsDirectory: true)
    }

    /// The TPM whose state is in a directory that stays; powered off when the value is gone.
    public convenience init(directory: String) throws { try self.init(directory: directory, ownsDirectory: false) }

    private init(directory: String, ownsDirectory: Bool) throws {
        self.directory = directory
        self.ownsDirectory = ownsDirectory
        process = Mutex(try SoftwareTPMProcess(directory: directory))
    }

    deinit {
        process.withLock { $0 = nil }
        if ownsDirectory { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// The TCTI string of its socket.
    public var address: String { "swtpm:path=" + directory + "/tpm.sock" }

    /// The authority's certificates in PEM: the root and the one that signs endorsement certificates.
    public var authorityFiles: [String] { TPMManufacturer.authorityFiles(in: directory) }

    /// Switches off and on: PCRs start over and resetCount goes up, as at a reboot. Without an orderly shutdown the clock is not safe.
    public func reboot(orderly: Bool = true) throws {
        if orderly { try send(TPMCommand.shutdown) }
        try process.withLock { process in
            process?.stop()
            process = try SoftwareTPMProcess(directory: directory)
        }
    }

    /// Switches off. Connections break.
    public func stop() { process.withLock { $0?.stop() } }

    /// Sends one command over a connection of its own and returns what follows the response's header.
    @discardableResult
    public func send(_ command: [UInt8]) throws(SoftwareTPMError) -> [UInt8] {
        try TPMSocket(path: directory + "/tpm.sock").send(command)
    }

    /// Extends a PCR, each bank by its digest.
    public func extend(pcr: Int, _ digests: [TPM.AlgorithmID: [UInt8]]) throws(SoftwareTPMError) {
        let ordered = digests.sorted { $0.key.rawValue < $1.key.rawValue }
        try send(TPMCommand.extend(pcr: UInt32(clamping: pcr), ordered.map { ($0.key, $0.value) }))
    }

    /// Sets PCR 16 or 23 to zeros.
    public func reset(pcr: Int) throws(SoftwareTPMError) { try send(TPMCommand.reset(pcr: UInt32(clamping: pcr))) }

    /// Stores bytes in a new NV index, as a maker does at the factory.
    public func storeNV(_ index: UInt32, _ bytes: [UInt8]) throws(SoftwareTPMError) {
        let socket = try TPMSocket(path: directory + "/tpm.sock")
        try socket.send(TPMCommand.defineSpace(index: index, byteCount: UInt16(clamping: bytes.count)))
        for start in stride(from: 0, to: bytes.count, by: 1024) {
            let part = Array(bytes[start..<min(start + 1024, bytes.count)])
            try socket.send(TPMCommand.write(index: index, part, offset: UInt16(clamping: start)))
        }
    }

    private static func temporaryPath() -> String {
        // Short: a socket's path has at most 107 bytes.
        FileManager.default.temporaryDirectory.appending(path: "carnet-tpm-" + UUID().uuidString.prefix(8)).path
    }
}

internal import Foundation
internal import Synchronization

/// TPMs made once in this process and copied for each test: making keys takes a second, copying a few milliseconds.
final class Prototypes: Sendable {
    static let shared = Prototypes()
    private let directories = Mutex<[String: String]>([:])

    private init() {
        atexit { Prototypes.shared.remove() }
    }

    /// The directory of a TPM of this kind.
    func directory(of manufacturer: TPMManufacturer) throws -> String {
        let kind = "\(manufacturer.banks) \(manufacturer.certificates)"
        return try directories.withLock { directories in
            if let made = directories[kind] { return made }
            let name = "carnet-tpm-prototype-" + UUID().uuidString.prefix(8)
            let directory = FileManager.default.temporaryDirectory.appending(path: name).path
            do {
                try manufacturer.make(in: directory)
            } catch {
                try? FileManager.default.removeItem(atPath: directory)
                throw error
            }
            directories[kind] = directory
            return directory
        }
    }

    private func remove() {
        directories.withLock { directories in
            for directory in directories.values { try? FileManager.default.removeItem(atPath: directory) }
            directories = [:]
        }
    }
}

import Foundation

/// A configuration file on disk: whoever may write it rules the program, and whoever may read it learns the secrets in it.
enum ConfigurationFile {
    /// Reads it. The checks are made on the file that was opened.
    ///
    /// - Throws: ``ConfigurationError`` when it is not there, another user may change it, others can read a secret in it, or what it says
    ///   is no configuration.
    static func read(_ path: String, _ settings: [Setting]) throws(ConfigurationError) -> SettingsFile {
        // Not blocking: a pipe that nobody writes to is no configuration.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw ConfigurationError(path, "", String(cString: strerror(errno))) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ConfigurationError(path, "", "is not a regular file")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw ConfigurationError(path, "", "belongs to another user, who could put anything there")
        }
        guard status.st_mode & 0o002 == 0 else {
            throw ConfigurationError(path, "", "can be changed by anybody. Run: chmod o-w \(path)")
        }
        let bytes = try bytes(descriptor, path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(path, "", "is not UTF-8")
        }
        let file = try SettingsFile(parsing: text, path: path, settings: settings)
        if status.st_mode & 0o004 != 0 { try checkSecrets(file, path, settings) }
        return file
    }

    private static func checkSecrets(
        _ file: SettingsFile, _ path: String, _ settings: [Setting]
    ) throws(ConfigurationError) {
        for setting in settings {
            guard let entry = file.entries[setting.name] else { continue }
            for text in entry.texts where (setting.type.value(text) as? any ConcealedSetting)?.holdsSecret == true {
                throw ConfigurationError(
                    "\(path):\(entry.line)", setting.name,
                    "holds a secret, and anybody can read the file. Run: chmod o-r \(path)")
            }
        }
    }

    private static func bytes(_ descriptor: CInt, _ path: String) throws(ConfigurationError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SettingsFile.maximumByteCount + 1), count = 0
        while count < bytes.count {
            let part = bytes.withUnsafeMutableBytes {
                Foundation.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            guard part >= 0 else { throw ConfigurationError(path, "", String(cString: strerror(errno))) }
            if part == 0 { break }
            count += part
        }
        guard count < bytes.count else {
            throw ConfigurationError(path, "", "has more than \(SettingsFile.maximumByteCount) bytes")
        }
        return Array(bytes.prefix(count))
    }
}

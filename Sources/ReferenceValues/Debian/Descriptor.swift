internal import Glibc

/// A file descriptor that is closed when the value is gone.
final class Descriptor {
    private let number: CInt
    /// The type bits of the mode: `S_IFREG` and others.
    let kind: mode_t

    /// Takes over a descriptor; `nil` for a negative number.
    init?(_ number: CInt) {
        var status = stat()
        guard number >= 0 else { return nil }
        guard fstat(number, &status) == 0 else {
            close(number)
            return nil
        }
        self.number = number
        kind = status.st_mode & S_IFMT
    }

    deinit { close(number) }

    /// A folder by its path, only to look into.
    convenience init?(folder path: String) {
        self.init(Glibc.open(path, Self.pathOnly | O_DIRECTORY | O_CLOEXEC))
    }

    /// `O_PATH`, which Glibc's header hides: a place and not its content (open(2); Linux, include/uapi/asm-generic/fcntl.h).
    private static let pathOnly: CInt = 0o10000000

    /// What is in this folder under a name, a link as the link; nothing is opened for reading.
    func look(at name: [UInt8]) throws(RootFolder.Problem) -> Descriptor {
        try open(name, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC)
    }

    /// The regular file of a name in this folder, for reading.
    func open(_ name: [UInt8]) throws(RootFolder.Problem) -> Descriptor {
        let file = try open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file.kind == S_IFREG else { throw .notRegular }
        return file
    }

    private func open(_ name: [UInt8], _ flags: CInt) throws(RootFolder.Problem) -> Descriptor {
        guard !name.contains(0) else { throw .missing }
        let result = (name + [0]).withUnsafeBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { openat(number, $0, flags) } ?? -1 }
        }
        if let opened = Descriptor(result) { return opened }
        if errno == ENOENT || errno == ENOTDIR { throw .missing }
        throw .failed(String(cString: strerror(errno)))
    }

    /// Where a symbolic link leads; `nil` when this is none.
    var target: [UInt8]? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(number, "", &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }

    /// Calls `body` with parts of the file until its end.
    func read(_ body: (ArraySlice<UInt8>) -> Void) throws(RootFolder.Problem) {
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = Glibc.read(number, &buffer, buffer.count)
            if count == 0 { return }
            if count > 0 {
                body(buffer[..<count])
            } else if errno != EINTR {
                throw .failed(String(cString: strerror(errno)))
            }
        }
    }
}

internal import Foundation

/// Reads a log in pieces to its end. The kernel's files say that they have no bytes, so nothing is believed about a file's size.
struct LogReader {
    private static let pieceByteCount = 1 << 18
    private static let lockAttempts = 40

    let kind: LogKind
    let source: LogSources.Source

    /// Calls `body` with each piece until it returns `false`.
    ///
    /// - Returns: Whether there is a log. A file that need not be there and cannot be read is none, and neither is an empty one.
    func forEachPiece(_ body: (ArraySlice<UInt8>) throws(LogError) -> Bool) throws(LogError) -> Presence {
        switch source {
        case .nowhere: return .absent(nil)
        case .bytes(let bytes):
            guard !bytes.isEmpty else { return .absent("it is empty") }
            _ = try body(bytes[...])
            return .present
        case .file(let path), .fileIfReadable(let path): return try read(path, body)
        }
    }

    /// Whether there is a log, and if not, why.
    enum Presence: Equatable {
        case present
        case absent(String?)
    }

    private func read(
        _ path: String, _ body: (ArraySlice<UInt8>) throws(LogError) -> Bool
    ) throws(LogError) -> Presence {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return try absent(path, String(cString: strerror(errno))) }
        defer { close(descriptor) }
        if kind == .runtime { awaitWriter(descriptor) }
        var buffer = [UInt8](repeating: 0, count: Self.pieceByteCount)
        var isEmpty = true
        while true {
            let count = buffer.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return try absent(path, String(cString: strerror(errno))) }
            guard count > 0 else { return isEmpty ? try absent(path, "it is empty") : .present }
            isEmpty = false
            guard try body(buffer[..<count]) else { return .present }
        }
    }

    /// A file that was named has to be readable.
    private func absent(_ path: String, _ reason: String) throws(LogError) -> Presence {
        if case .file = source { throw .unreadable(path, reason) }
        return .absent(reason)
    }

    /// systemd holds an exclusive lock from before it extends a PCR until its record is written: a quote may cover a record that is
    /// not in the file yet. Two seconds are enough; whoever holds the lock for longer does not write. Source: systemd,
    /// `tpm2_userspace_log_open` in `src/shared/tpm2-util.c`.
    private func awaitWriter(_ descriptor: Int32) {
        for _ in 0..<Self.lockAttempts {
            if flock(descriptor, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK { return }
            usleep(50_000)
        }
    }
}

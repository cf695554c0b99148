package import CarnetService
import Foundation

/// A command of the operator's that prints a key. Its messages go to standard error.
package struct KeyCommand: Sendable {
    package let command: String
    /// How many seconds it may take.
    package var patience = 60
    /// The most that it may print.
    package static let maximumByteCount = 256

    package init(_ command: String) { self.command = command }

    /// What it prints.
    ///
    /// - Throws: ``ServiceStartError/unreadable(_:_:)`` when it cannot be started, takes too long, prints too much, or fails.
    package func output() throws(ServiceStartError) -> [UInt8] {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw failure(String(cString: strerror(errno))) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let child: pid_t
        do {
            child = try start(printingTo: ends[1])
            close(ends[1])
        } catch {
            close(ends[1])
            throw error
        }
        let printed = read(ends[0])
        if printed == nil { kill(-child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1, errno == EINTR {}
        guard let printed else {
            throw failure("it printed more than \(Self.maximumByteCount) bytes, or took more than \(patience) seconds")
        }
        guard status == 0 else {
            throw failure(
                status & 0x7F == 0 ? "it ended with status \(status >> 8 & 0xFF)" : "signal \(status & 0x7F) ended it")
        }
        return printed
    }

    /// Starts it in a process group of its own.
    private func start(printingTo output: Int32) throws(ServiceStartError) -> pid_t {
        var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t(), none = sigset_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        let arguments: [String] = ["/bin/sh", "-c", command]
        var words = arguments.map { strdup($0) } + [nil]
        var variables = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/bin/sh", &actions, &attributes, &words, &variables)
        guard code == 0 else { throw failure(String(cString: strerror(code))) }
        return child
    }

    /// Everything until the other end is closed; `nil` when it is too much or does not come in time.
    private func read(_ descriptor: Int32) -> [UInt8]? {
        var bytes: [UInt8] = [], buffer = [UInt8](repeating: 0, count: Self.maximumByteCount + 1)
        let clock = ContinuousClock(), end = clock.now + .seconds(patience)
        while clock.now < end {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 250) > 0 else { continue }
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else { continue }
            bytes += buffer[..<count]
            guard bytes.count <= Self.maximumByteCount else { return nil }
        }
        return nil
    }

    private func failure(_ reason: String) -> ServiceStartError {
        .unreadable(KeyEncryptionKeySource.command(command).name, reason)
    }
}

import Foundation
import Synchronization

/// A program that was started with `posix_spawn`.
///
/// `Foundation.Process` crashes now and then when several threads start programs at once, waits for descriptors that daemons inherit, and
/// hands on this thread's blocked signals. This does neither: the child gets three descriptors, no blocked signal, and nothing else.
final class ChildProcess: Sendable {
    struct NotStarted: Error, CustomStringConvertible {
        let description: String
    }

    let identifier: pid_t
    private let ending = Mutex<Int32?>(nil)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - descriptors: What the child has as standard input, output and error.
    ///   - environment: Beside this process's own variables, and instead of those of the same name.
    init(
        _ path: String, _ arguments: [String], _ descriptors: [Int32], environment: [String: String] = [:]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // This process has its own first three, so none of these overwrites another.
        for (target, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        for descriptor in 3..<Int32(2048) { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t(), none = sigset_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var words = ([path] + arguments).map { strdup($0) } + [nil], settings = variables.map { strdup($0) } + [nil]
        defer { for word in words + settings { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &actions, &attributes, &words, &settings)
        guard code == 0 else {
            throw NotStarted(description: "\(path) could not be started: \(String(cString: strerror(code)))")
        }
        identifier = child
    }

    /// Waits for its end.
    ///
    /// - Returns: The exit status, or the number of the signal that ended it.
    func wait() -> Int32 {
        ending.withLock { ending in
            if let ending { return ending }
            var status: Int32 = 0
            while waitpid(identifier, &status, 0) == -1 && errno == EINTR {}
            let code = status & 0x7F == 0 ? status >> 8 & 0xFF : status & 0x7F
            ending = code
            return code
        }
    }

    /// Sends it a signal, unless it was waited for already.
    func signal(_ number: Int32) {
        ending.withLock { ending in
            if ending == nil { kill(identifier, number) }
        }
    }

    /// Runs a program to its end with `input`, and collects what it prints.
    static func run(
        _ path: String, _ arguments: [String], input: [UInt8], environment: [String: String], directory: String? = nil
    ) throws -> (status: Int32, output: [UInt8], errors: String) {
        let standardInput = try PipeEnds(), output = try PipeEnds(), errors = try PipeEnds()
        let ends = [standardInput.reading, output.writing, errors.writing]
        // `env` goes to the directory, for posix_spawn cannot everywhere.
        let child =
            if let directory {
                try ChildProcess(
                    "/usr/bin/env", ["-C", directory, path] + arguments, ends, environment: environment)
            } else { try ChildProcess(path, arguments, ends, environment: environment) }
        for end in ends { close(end) }
        // Inputs of our tests stay below a pipe's capacity; a program that does not read them may have ended.
        input.withUnsafeBytes { bytes in _ = write(standardInput.writing, bytes.baseAddress, bytes.count) }
        close(standardInput.writing)
        let printed = PipeEnds.readToEnd([output.reading, errors.reading])
        return (child.wait(), printed[0], String(decoding: printed[1], as: UTF8.self))
    }
}

/// Both ends of a pipe, neither of which a child inherits by itself.
private struct PipeEnds {
    let reading, writing: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw CocoaError(.fileReadUnknown) }
        (reading, writing) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    /// Reads several pipes at once until all are closed at their other ends, and closes them.
    static func readToEnd(_ descriptors: [Int32]) -> [[UInt8]] {
        var contents = descriptors.map { _ in [UInt8]() }, open = Set(descriptors.indices)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !open.isEmpty {
            var waiting = open.sorted().map { pollfd(fd: descriptors[$0], events: Int16(POLLIN), revents: 0) }
            guard poll(&waiting, nfds_t(waiting.count), -1) > 0 else { continue }
            for (index, ready) in zip(open.sorted(), waiting) where ready.revents != 0 {
                let count = read(ready.fd, &buffer, buffer.count)
                if count > 0 {
                    contents[index] += buffer[..<count]
                } else if count == 0 || errno != EINTR {
                    open.remove(index)
                    close(ready.fd)
                }
            }
        }
        return contents
    }
}

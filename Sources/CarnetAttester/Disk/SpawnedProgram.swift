internal import Foundation

/// A program that is run to its end with `posix_spawn`: it gets the descriptors that its words name, three of its own, and nothing else; a
/// small environment; no secret in either.
struct SpawnedProgram {
    /// A word of the command line.
    enum Word {
        case text(String)
        /// A descriptor, which the program gets and finds under `/dev/fd`.
        case file(Int32)
        /// Bytes, which the program reads from a pipe.
        case secret([UInt8])
    }

    /// How it ended.
    struct Ending {
        let status: Int32
        let output: String
        let errors: String

        /// A number that is printed between two texts.
        func number(between before: String, and after: String) -> Int? {
            guard let start = output.range(of: before),
                let end = output.range(of: after, range: start.upperBound..<output.endIndex)
            else { return nil }
            return Int(output[start.upperBound..<end.lowerBound])
        }
    }

    let path: String
    let words: [Word]
    let input: [UInt8]
    /// In seconds.
    let patience: Int

    /// What fits into a pipe that nobody reads yet (pipe(7), "Pipe capacity").
    static let maximumSecretByteCount = 65_536
    private static let maximumOutputByteCount = 1 << 20

    /// Runs it, and ends it when it takes too long.
    func run() throws(DiskError) -> Ending {
        var open: [Int32] = []
        defer { for descriptor in open { close(descriptor) } }
        func keep(_ descriptor: Int32) throws(DiskError) -> Int32 {
            // High numbers, so that none is in the way of the child's low ones.
            let kept = fcntl(descriptor, F_DUPFD_CLOEXEC, 64)
            guard kept >= 0 else { throw failure(errno) }
            open.append(kept)
            return kept
        }
        func filledPipe(_ bytes: [UInt8]) throws(DiskError) -> Int32 {
            let (reading, writing) = try pipeEnds()
            defer {
                close(reading)
                close(writing)
            }
            guard bytes.count <= Self.maximumSecretByteCount,
                bytes.isEmpty || write(writing, bytes, bytes.count) == bytes.count
            else {
                throw DiskError(
                    .unreadable, "A key has more than \(Self.maximumSecretByteCount) bytes. Use a shorter one.")
            }
            return try keep(reading)
        }
        var given = [try filledPipe(input)]
        let output = try pipeEnds(), errors = try pipeEnds()
        open += [output.reading, errors.reading]
        do {
            defer {
                close(output.writing)
                close(errors.writing)
            }
            given += [try keep(output.writing), try keep(errors.writing)]
        }
        var arguments = [path]
        for word in words {
            switch word {
            case .text(let text): arguments.append(text)
            case .file(let descriptor):
                arguments.append("/dev/fd/\(given.count)")
                given.append(try keep(descriptor))
            case .secret(let bytes):
                arguments.append("/dev/fd/\(given.count)")
                given.append(try filledPipe(bytes))
            }
        }
        let child = try spawn(arguments, given)
        for descriptor in given {
            close(descriptor)
            open.removeAll { $0 == descriptor }
        }
        let printed = read([output.reading, errors.reading], ending: child)
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1 && errno == EINTR {}
        guard let printed else {
            throw DiskError(
                .unavailable, "\(path) took more than \(patience) seconds and was ended. Is the disk busy? Try again.")
        }
        return Ending(
            status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F,
            output: String(decoding: printed[0], as: UTF8.self), errors: String(decoding: printed[1], as: UTF8.self))
    }

    private func spawn(_ arguments: [String], _ descriptors: [Int32]) throws(DiskError) -> pid_t {
        var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t(), none = sigset_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (target, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(clamping: target))
        }
        for other in Int32(clamping: descriptors.count)..<1024 { posix_spawn_file_actions_addclose(&actions, other) }
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words = arguments.map { strdup($0) } + [nil]
        let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw failure(code) }
        return child
    }

    /// Reads both until they are closed; `nil` when that takes too long, and the program was ended.
    private func read(_ descriptors: [Int32], ending child: pid_t) -> [[UInt8]]? {
        let deadline = ContinuousClock.now + .seconds(patience)
        var contents = descriptors.map { _ in [UInt8]() }, left = Set(descriptors.indices)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !left.isEmpty {
            let order = left.sorted()
            var waiting = order.map { pollfd(fd: descriptors[$0], events: Int16(POLLIN), revents: 0) }
            let ready = poll(&waiting, nfds_t(waiting.count), 200)
            if ContinuousClock.now > deadline {
                kill(child, SIGKILL)
                return nil
            }
            guard ready > 0 else { continue }
            for (index, descriptor) in zip(order, waiting) where descriptor.revents != 0 {
                let count = Foundation.read(descriptor.fd, &buffer, buffer.count)
                if count > 0 {
                    if contents[index].count < Self.maximumOutputByteCount { contents[index] += buffer[..<count] }
                } else if count == 0 || errno != EINTR {
                    left.remove(index)
                }
            }
        }
        return contents
    }

    private func pipeEnds() throws(DiskError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw failure(errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private func failure(_ code: Int32) -> DiskError {
        DiskError(.unavailable, "\(path) could not be started: \(String(cString: strerror(code))).")
    }
}

import Foundation

/// What a process has used, as Linux counts it.
struct ProcessUse: Sendable {
    let identifier: pid_t

    /// This process.
    static var own: ProcessUse { ProcessUse(identifier: getpid()) }

    /// Microseconds on a processor since it began, of all its threads, in programs and in the kernel.
    var processorTime: Double {
        var clock = clockid_t(), time = timespec()
        guard clock_getcpuclockid(identifier, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }

    /// Kilobytes in memory now.
    var resident: Int { status("VmRSS:") }
    /// The most kilobytes that were in memory at once.
    var highWater: Int { status("VmHWM:") }

    private func status(_ name: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }
}

/// Where and when figures were measured: without it they say nothing.
struct Surroundings: Encodable {
    let date: String
    let processor: String
    let processorCount: Int
    let kernel: String
    /// The file system of the database's folder.
    let fileSystem: String
    /// Microseconds until 4 KB are written and on the disk (`fdatasync`), the median: a transaction waits for it once.
    let syncMicroseconds: Double
    /// The load average of the last minute, before anything was measured: 0 is a quiet machine.
    let loadBefore: Double
    var loadAfter: Double = 0

    init(folder: String) throws {
        date = ISO8601DateFormatter().string(from: Date())
        processorCount = ProcessInfo.processInfo.processorCount
        let information = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        processor =
            model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
        kernel = try String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        fileSystem = try Self.fileSystem(of: folder)
        syncMicroseconds = Self.syncMicroseconds(in: folder)
        loadBefore = Self.load
    }

    /// The load average of the last minute.
    static var load: Double {
        let text = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
        return text?.split(separator: " ").first.flatMap { Double($0) } ?? 0
    }

    private static func fileSystem(of folder: String) throws -> String {
        let path = URL(filePath: folder).resolvingSymlinksInPath().path
        let mounts = try String(contentsOfFile: "/proc/mounts", encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: " ").map(String.init) }.filter { $0.count > 2 }
        let holders = mounts.filter { path == $0[1] || path.hasPrefix($0[1] == "/" ? "/" : $0[1] + "/") }
        return holders.max { $0[1].utf8.count < $1[1].utf8.count }.map { "\($0[2]) on \($0[0])" } ?? "unknown"
    }

    private static func syncMicroseconds(in folder: String) -> Double {
        let path = folder + "/sync", descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        defer {
            close(descriptor)
            unlink(path)
        }
        let page = [UInt8](repeating: 1, count: 4096)
        let times = (0..<101).map { _ in
            let start = ContinuousClock.now
            _ = write(descriptor, page, page.count)
            fdatasync(descriptor)
            return (ContinuousClock.now - start) / .microseconds(1)
        }
        return times.sorted()[50]
    }
}

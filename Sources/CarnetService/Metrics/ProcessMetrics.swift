import Foundation

/// What the kernel says of this process, under the names that dashboards know.
public enum ProcessMetrics {
    /// The families.
    public static let families = [
        MetricFamily("process_start_time_seconds", .gauge, "When the process started, in seconds since 1970."),
        MetricFamily("process_resident_memory_bytes", .gauge, "Memory of the process that is in RAM."),
        MetricFamily("process_open_fds", .gauge, "Open file descriptors of the process."),
    ]

    /// Reads them now. What the kernel does not tell stays as it was.
    public static func collect(into registry: MetricRegistry) {
        if let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            registry.set("process_open_fds", Double(descriptors.count))
        }
        let ticks = Double(max(1, sysconf(CInt(_SC_CLK_TCK))))
        // The name of the program stands in parentheses and may have blanks in it; the fields after it do not (proc(5)).
        if let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let name = stat.lastIndex(of: ")")
        {
            let fields = stat[name...].split(separator: " ")
            if fields.count > 22, let start = Double(fields[20]), let pages = Double(fields[22]) {
                registry.set("process_resident_memory_bytes", pages * Double(sysconf(CInt(_SC_PAGESIZE))))
                if let boot = bootTime { registry.set("process_start_time_seconds", boot + start / ticks) }
            }
        }
    }

    private static var bootTime: Double? {
        guard let stat = try? String(contentsOfFile: "/proc/stat", encoding: .utf8) else { return nil }
        let line = stat.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) }
    }
}

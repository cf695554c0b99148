import Foundation

/// How many files and connections the kernel lets this process have open.
enum DescriptorLimit {
    /// What else than connections needs descriptors: files, the database, event loops.
    static let reserve = 256

    /// Raises the process's limit as far as it may and has to, for so many connections.
    ///
    /// - Returns: How many connections fit below what it is then.
    static func connections(wanted count: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return count }
        let needed = rlim_t(clamping: count + reserve)
        if limit.rlim_cur < needed, limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = min(needed, limit.rlim_max)
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return max(16, min(count, Int(clamping: limit.rlim_cur) - reserve))
    }
}

/// The digests that a rule allows, each with the times at which it counts. A digest is found in the same time among one as among thousands.
struct AllowedDigests: Sendable {
    /// What a rule says of one digest.
    enum Standing: Sendable, Hashable {
        case allowed
        /// It is named, and its time is not now.
        case outsideWindow
        /// It is not named.
        case unknown
    }

    private var times: [[UInt8]: UnionOfWindows] = [:]

    /// The entries that are told by a digest. One that stands there several times counts whenever one of its windows does.
    init(_ allowed: [ComponentRule.Allowed]) {
        var windows: [[UInt8]: [ValidityWindow]] = [:]
        for entry in allowed {
            guard case .digest(let digest) = entry.match else { continue }
            windows[digest, default: []].append(entry.window)
        }
        times = windows.mapValues(UnionOfWindows.init)
    }

    /// What becomes of a digest at a time, in seconds since 1970.
    func standing(of digest: [UInt8], at now: Int64) -> Standing {
        guard let times = times[digest] else { return .unknown }
        return times.contains(now) ? .allowed : .outsideWindow
    }
}

/// The times that are in at least one of some windows.
struct UnionOfWindows: Sendable {
    /// In order, none touching another.
    private var ranges: [Range<Int64>] = []

    init(_ windows: [ValidityWindow]) {
        for window in windows.sorted(by: { $0.from ?? .min < $1.from ?? .min }) {
            let from = window.from ?? .min, until = window.until ?? .max
            guard from < until else { continue }
            if let last = ranges.last, from <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, until)
            } else {
                ranges.append(from..<until)
            }
        }
    }

    /// Whether a moment is in one of them; takes the logarithm of their number.
    func contains(_ time: Int64) -> Bool {
        var low = 0, high = ranges.count
        while low < high {
            let middle = low + (high - low) / 2
            if ranges[middle].upperBound <= time { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(time)
    }
}

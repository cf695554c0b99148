/// Token buckets of many callers in bounded memory. Time is an argument.
///
/// A bucket is one number: when it will be full again (the generic cell rate algorithm, ITU-T I.371 annex A). Since all fill at one rate, the
/// order of these moments never changes by itself, and the bucket that is fullest is on top of a heap.
///
/// When all places are taken a newcomer gets the place of the fullest bucket **and goes on from its level** (the rule of the Space-Saving
/// sketch, Metwally et al. 2005). So
///
/// - nobody gets more than their rate by being displaced, however many names they use to push themselves out: whoever comes back finds a
///   level at least as low as the one they left, less what flowed in meanwhile;
/// - a stranger loses at most the level of the fullest bucket: the tokens that all took together within the time in which a bucket fills,
///   divided by the number of places. With 65,536 of them that is below one for every 65,536 requests in that time.
struct RateTable: Sendable {
    private struct Bucket {
        let key: RateKey
        var fullAt: Int64
    }

    private let interval: Int64
    private let depth: Int64
    private let capacity: Int
    private var heap: [Bucket] = []
    private var places: [RateKey: Int] = [:]

    init(_ limit: RateLimit, capacity: Int) {
        interval = limit.interval
        depth = limit.depth
        self.capacity = max(1, capacity)
    }

    /// How many buckets there are.
    var count: Int { heap.count }
    /// For how many there is memory.
    var reservedCount: Int { max(heap.capacity, places.capacity) }

    /// Takes a token.
    ///
    /// - Returns: `nil` when there was one; otherwise in how many nanoseconds there will be. Nothing was taken then.
    mutating func take(_ key: RateKey, at now: Int64) -> Int64? {
        if let wait = wait(for: key, at: now) { return wait }
        put(key, fullAt: max(now, level(of: key, at: now)) + interval, at: now)
        return nil
    }

    /// In how many nanoseconds there will be a token; `nil` when there is one.
    func wait(for key: RateKey, at now: Int64) -> Int64? {
        let over = max(now, level(of: key, at: now)) + interval - now - depth
        return over > 0 ? over : nil
    }

    /// Gives a token back.
    mutating func giveBack(_ key: RateKey) {
        guard let place = places[key] else { return }
        heap[place].fullAt -= interval
        rise(from: place)
    }

    private func level(of key: RateKey, at now: Int64) -> Int64 {
        if let place = places[key] { return heap[place].fullAt }
        return heap.count < capacity ? now : heap[0].fullAt
    }

    private mutating func put(_ key: RateKey, fullAt: Int64, at now: Int64) {
        if let place = places[key] {
            heap[place].fullAt = fullAt
            sink(from: place)
        } else if let fullest = heap.first, heap.count >= capacity || fullest.fullAt <= now {
            // A bucket that is full is as good as none.
            places[fullest.key] = nil
            heap[0] = Bucket(key: key, fullAt: fullAt)
            places[key] = 0
            sink(from: 0)
        } else {
            heap.append(Bucket(key: key, fullAt: fullAt))
            places[key] = heap.count - 1
            rise(from: heap.count - 1)
        }
    }

    private mutating func rise(from start: Int) {
        var place = start
        while place > 0, heap[place].fullAt < heap[(place - 1) / 2].fullAt {
            exchange(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(from start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
                if heap[child].fullAt < heap[least].fullAt { least = child }
            }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ first: Int, _ second: Int) {
        heap.swapAt(first, second)
        places[heap[first].key] = first
        places[heap[second].key] = second
    }
}

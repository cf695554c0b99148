/// Which connections are open, whose they are, and which of them wait for their client.
///
/// A connection waits for its client until a whole request has come, and again when that is answered. When there is no room for a new
/// connection, the one that has waited longest makes room for it: first within the same client's share, then among all. So connections that
/// say nothing, or say it slowly, hold nobody up, however many they are.
struct OpenConnections<Handle: Sendable>: Sendable {
    private struct Entry {
        let handle: Handle
        /// `nil` for a proxy that is trusted: its connections are those of many.
        let client: RateKey?
    }

    private let maximumCount: Int
    private let maximumCountPerClient: Int
    private var entries: [UInt64: Entry] = [:]
    private var counts: [RateKey: Int] = [:]
    private var line = WaitingLine()
    private var lines: [RateKey: WaitingLine] = [:]
    private var next: UInt64 = 0

    init(maximumCount: Int, maximumCountPerClient: Int) {
        self.maximumCount = maximumCount
        self.maximumCountPerClient = maximumCountPerClient
    }

    /// What becomes of a new connection.
    enum Opening: Sendable {
        /// It is open under a number; another one has to be closed for it, where one is named.
        case taken(UInt64, displacing: Handle?)
        /// There is no room.
        case refused(Refusal)
    }

    /// How many there are.
    var count: Int { entries.count }

    /// Opens one, which waits for its client.
    mutating func open(_ handle: Handle, of client: RateKey?) -> Opening {
        var displaced: UInt64?
        if let client, counts[client, default: 0] >= maximumCountPerClient {
            guard let longest = lines[client]?.first else { return .refused(.clientConnections) }
            displaced = longest
        } else if entries.count >= maximumCount {
            guard let longest = line.first else { return .refused(.connections) }
            displaced = longest
        }
        let handle = (new: handle, old: displaced.flatMap { entries[$0]?.handle })
        if let displaced { close(displaced) }
        let number = next
        next += 1
        entries[number] = Entry(handle: handle.new, client: client)
        if let client { counts[client, default: 0] += 1 }
        wait(number)
        return .taken(number, displacing: handle.old)
    }

    /// A connection that was nobody's, and waits, turns out to be a client's.
    ///
    /// - Returns: As for a new one: another of the client's has to be closed for it, or there is no room.
    mutating func identify(_ number: UInt64, as client: RateKey) -> Opening {
        guard let entry = entries[number], entry.client == nil else { return .taken(number, displacing: nil) }
        var displaced: Handle?
        if counts[client, default: 0] >= maximumCountPerClient {
            guard let longest = lines[client]?.first else { return .refused(.clientConnections) }
            displaced = entries[longest]?.handle
            close(longest)
        }
        entries[number] = Entry(handle: entry.handle, client: client)
        counts[client, default: 0] += 1
        lines[client, default: WaitingLine()].append(number)
        return .taken(number, displacing: displaced)
    }

    /// A connection waits for its client from now on.
    mutating func wait(_ number: UInt64) {
        guard let entry = entries[number] else { return }
        line.append(number)
        if let client = entry.client { lines[client, default: WaitingLine()].append(number) }
    }

    /// A connection's client waits for us.
    mutating func work(_ number: UInt64) {
        guard let entry = entries[number] else { return }
        leave(number, entry.client)
    }

    /// A connection is closed, or about to be.
    mutating func close(_ number: UInt64) {
        guard let entry = entries.removeValue(forKey: number) else { return }
        leave(number, entry.client)
        guard let client = entry.client else { return }
        let rest = counts[client, default: 0] - 1
        counts[client] = rest > 0 ? rest : nil
    }

    private mutating func leave(_ number: UInt64, _ client: RateKey?) {
        line.remove(number)
        guard let client else { return }
        lines[client]?.remove(number)
        if lines[client]?.isEmpty ?? false { lines[client] = nil }
    }
}

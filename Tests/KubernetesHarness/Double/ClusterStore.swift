import NIOCore
import Synchronization

/// The objects of a double, with one counter of versions for all of them, as etcd has it.
///
/// Every change gets the next version and is told to the watches of its kind before another change happens, so each watch tells changes in
/// the order of their versions.
final class ClusterStore: Sendable {
    private struct Table {
        var objects: [ObjectKey: StoredObject] = [:]
        var history: [StoredChange] = []
        /// Changes up to this version are no longer remembered.
        var forgotten: Int
        var watchers: [Int: Watcher] = [:]
    }

    private struct Watcher {
        let selector: ObjectSelector
        let lines: AsyncStream<ByteBuffer>.Continuation
    }

    private struct State {
        var version: Int
        var tables: [ResourceKind: Table] = [:]
        var nextWatcher = 0
        /// Lists that are read page by page: the objects that are left of each, as they were when the first page was read.
        var pages: [String: (version: Int, rest: ArraySlice<StoredObject>)] = [:]
    }

    /// No change is ever older: a real cluster has a past, too.
    static let firstVersion = 100
    /// How many changes of a kind are remembered at most.
    private static let historyLength = 50_000

    private let state = Mutex(State(version: ClusterStore.firstVersion))
    private let maximumByteCount: Int

    /// A store without objects.
    init(maximumByteCount: Int) { self.maximumByteCount = maximumByteCount }

    private static func table(_ state: inout State, _ kind: ResourceKind) -> Table {
        state.tables[kind] ?? Table(forgotten: firstVersion)
    }

    /// The version of the last change.
    var version: Int { state.withLock(\.version) }

    /// An object, if there is one.
    func object(_ kind: ResourceKind, _ key: ObjectKey) -> StoredObject? {
        state.withLock { $0.tables[kind]?.objects[key] }
    }

    /// All objects of a kind in the order of their keys, and the version at which they are so.
    func objects(_ kind: ResourceKind) -> (objects: [StoredObject], version: Int) {
        let (objects, version) = state.withLock { ($0.tables[kind]?.objects ?? [:], $0.version) }
        return (objects.values.sorted { $0.key < $1.key }, version)
    }

    /// How many objects of a kind there are.
    func count(_ kind: ResourceKind) -> Int { state.withLock { $0.tables[kind]?.objects.count ?? 0 } }

    /// How many watches are open.
    var watchCount: Int { state.withLock { $0.tables.values.reduce(0) { $0 + $1.watchers.count } } }

    /// What became of a change.
    enum Outcome {
        case done(StoredObject)
        /// There is one already.
        case exists
        /// It is not, or no longer, what the caller saw.
        case changed
        /// It is larger than what is stored.
        case tooLarge
    }

    /// Stores a new object.
    func create(_ kind: ResourceKind, _ key: ObjectKey, _ value: HarnessJSON) -> Outcome {
        state.withLock { state in
            guard state.tables[kind]?.objects[key] == nil else { return .exists }
            return put(&state, kind, key, value)
        }
    }

    /// Stores another value in place of the one of a version.
    func update(_ kind: ResourceKind, _ key: ObjectKey, seen: Int, _ value: HarnessJSON) -> Outcome {
        state.withLock { state in
            guard state.tables[kind]?.objects[key]?.version == seen else { return .changed }
            return put(&state, kind, key, value)
        }
    }

    private func put(
        _ state: inout State, _ kind: ResourceKind, _ key: ObjectKey, _ value: HarnessJSON
    ) -> Outcome {
        let object = StoredObject(kind, value, version: state.version + 1)
        guard object.item.readableBytes <= maximumByteCount else { return .tooLarge }
        state.version += 1
        let previous = state.tables[kind, default: Table(forgotten: Self.firstVersion)].objects.updateValue(
            object, forKey: key)
        Self.tell(&state, kind, StoredChange(previous == nil ? .added : .modified, object, previous: previous))
        return .done(object)
    }

    /// Removes the object of a version.
    func delete(_ kind: ResourceKind, _ key: ObjectKey, seen: Int) -> Outcome {
        state.withLock { state in
            guard let object = state.tables[kind]?.objects[key], object.version == seen else { return .changed }
            state.tables[kind]?.objects[key] = nil
            state.version += 1
            // A deletion tells the last value with a version of its own.
            let last = StoredObject(kind, object.value, version: state.version)
            Self.tell(&state, kind, StoredChange(.deleted, last, previous: object))
            return .done(object)
        }
    }

    private static func tell(_ state: inout State, _ kind: ResourceKind, _ change: StoredChange) {
        state.tables[kind]?.history.append(change)
        if let history = state.tables[kind]?.history, history.count > historyLength {
            forget(&state, kind, history.count / 2)
        }
        for watcher in (state.tables[kind]?.watchers ?? [:]).values {
            if let line = change.line(for: watcher.selector) { watcher.lines.yield(line) }
        }
    }

    private static func forget(_ state: inout State, _ kind: ResourceKind, _ count: Int) {
        guard let last = state.tables[kind]?.history.prefix(count).last else { return }
        state.tables[kind]?.forgotten = last.object.version
        state.tables[kind]?.history.removeFirst(count)
    }

    /// Forgets all that happened, as compaction does: watches that begin in the past, and lists that are read page by page, have to begin anew.
    func compact() {
        state.withLock { state in
            for kind in ResourceKind.all {
                state.tables[kind, default: Table(forgotten: Self.firstVersion)].history = []
                state.tables[kind]?.forgotten = state.version
            }
            state.pages = [:]
        }
    }

    // MARK: Pages

    /// Keeps the rest of a list for the next page.
    ///
    /// - Returns: What the caller shows to get it.
    func keep(_ rest: ArraySlice<StoredObject>, version: Int) -> String {
        let token = "carnet-double-\(UInt64.random(in: .min ... .max))"
        state.withLock { $0.pages[token] = (version, rest) }
        return token
    }

    /// The rest of a list that was kept; `nil` when it is forgotten. It can be read again.
    func page(_ token: String) -> (version: Int, rest: ArraySlice<StoredObject>)? {
        state.withLock { $0.pages[token] }
    }

    // MARK: Watches

    /// An open watch.
    struct Watch: Sendable {
        let number: Int
        let lines: AsyncStream<ByteBuffer>
    }

    /// Begins a watch.
    ///
    /// - Parameter version: The version after which changes are told; `nil` to tell first what is there, as additions.
    /// - Throws: ``StatusFailure`` when changes since the version are forgotten, or it is in the future.
    func watch(_ kind: ResourceKind, since version: Int?, _ selector: ObjectSelector) throws -> Watch {
        try state.withLock { state in
            let table = Self.table(&state, kind)
            if let version, version < table.forgotten {
                throw StatusFailure.expired("too old resource version: \(version) (\(table.forgotten))")
            }
            if let version, version > state.version {
                throw StatusFailure.tooLargeVersion(version, current: state.version)
            }
            let (lines, continuation) = AsyncStream<ByteBuffer>.makeStream()
            if let version {
                for change in table.history where change.object.version > version {
                    if let line = change.line(for: selector) { continuation.yield(line) }
                }
            } else {
                for object in table.objects.values.sorted(by: { $0.key < $1.key }) where selector.matches(object.value)
                {
                    continuation.yield(StoredChange.line("ADDED", object.text))
                }
            }
            state.nextWatcher += 1
            let number = state.nextWatcher
            state.tables[kind, default: Table(forgotten: Self.firstVersion)].watchers[number] = Watcher(
                selector: selector, lines: continuation)
            return Watch(number: number, lines: lines)
        }
    }

    /// Tells a watch how far it has come, after all that it was told before.
    func bookmark(_ kind: ResourceKind, _ number: Int) {
        state.withLock { state in
            let object: HarnessJSON = [
                "kind": .string(kind.kind), "apiVersion": .string(kind.apiVersion),
                "metadata": ["resourceVersion": .string(String(state.version)), "creationTimestamp": .null],
            ]
            _ = state.tables[kind]?.watchers[number]?.lines.yield(
                StoredChange.line("BOOKMARK", ByteBuffer(bytes: object.bytes)))
        }
    }

    /// Ends a watch.
    func end(_ kind: ResourceKind, _ number: Int) {
        let watcher = state.withLock { $0.tables[kind]?.watchers.removeValue(forKey: number) }
        watcher?.lines.finish()
    }

    /// Ends all watches, those of one kind or all.
    func endWatches(of kind: ResourceKind? = nil) {
        let watchers = state.withLock { state in
            var ended: [Watcher] = []
            for each in kind.map({ [$0] }) ?? ResourceKind.all {
                ended += state.tables[each]?.watchers.values.map(\.self) ?? []
                state.tables[each]?.watchers = [:]
            }
            return ended
        }
        for watcher in watchers { watcher.lines.finish() }
    }
}

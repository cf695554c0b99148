import HummingbirdCore
import Hummingbird
import NIOCore

extension ClusterDouble {
    /// Lists objects, with `limit` and `continue` in pages of what was there when the first page was read.
    func list(_ kind: ResourceKind, _ path: RequestPath) throws -> Reply {
        let selector = try path.selector(for: kind)
        var rest: ArraySlice<StoredObject>, version: Int
        if let token = path.query["continue"], !token.isEmpty {
            guard path.query["resourceVersion"] ?? "" == "" || path.query["resourceVersion"] == "0" else {
                throw StatusFailure.badRequest("specifying resource version is not allowed when using continue")
            }
            guard let page = store.page(token) else {
                throw StatusFailure.expired(
                    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
                        + "the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
                )
            }
            (version, rest) = (page.version, page.rest)
        } else {
            let (objects, current) = store.objects(kind)
            if let asked = try Self.version(path), asked > current {
                throw StatusFailure.tooLargeVersion(asked, current: current)
            }
            rest = selector.matchesEverything ? objects[...] : objects.filter { selector.matches($0.value) }[...]
            version = current
        }
        var more = ""
        let limit = Int(path.query["limit"] ?? "") ?? 0
        var page = rest
        if limit > 0, rest.count > limit {
            page = rest.prefix(limit)
            let left = rest.dropFirst(limit)
            more = ",\"continue\":\"\(store.keep(left, version: version))\""
            if !selector.hasRules { more += ",\"remainingItemCount\":\(left.count)" }
        }
        var body = ByteBuffer()
        body.reserveCapacity(page.reduce(128) { $0 + $1.item.readableBytes + 1 })
        body.writeString(
            "{\"kind\":\"\(kind.kind)List\",\"apiVersion\":\"\(kind.apiVersion)\","
                + "\"metadata\":{\"resourceVersion\":\"\(version)\"\(more)},\"items\":[")
        for (index, object) in page.enumerated() {
            if index > 0 { body.writeString(",") }
            body.writeImmutableBuffer(object.item)
        }
        body.writeString("]}")
        return .object(code: 200, body)
    }

    private static func version(_ path: RequestPath) throws -> Int? {
        guard let text = path.query["resourceVersion"], !text.isEmpty else { return nil }
        guard let version = Int(text), version >= 0 else {
            throw StatusFailure.badRequest("resourceVersion: Invalid value: \"\(text)\": invalid")
        }
        return version
    }

    /// Begins a watch. What is too old, or in the future, is told as the first and only event.
    func watch(_ kind: ResourceKind, _ path: RequestPath) throws -> ClusterStore.Watch {
        let selector = try path.selector(for: kind)
        let version = try Self.version(path)
        do {
            return try store.watch(kind, since: version == 0 ? nil : version, selector)
        } catch let failure as StatusFailure {
            let (lines, continuation) = AsyncStream<ByteBuffer>.makeStream()
            continuation.yield(StoredChange.line("ERROR", ByteBuffer(bytes: failure.object.bytes)))
            continuation.finish()
            return ClusterStore.Watch(number: 0, lines: lines)
        }
    }

    /// Writes a watch's lines until it ends: by `timeoutSeconds`, by the client, or by ``endWatches(of:)``.
    func watchBody(
        _ kind: ResourceKind, _ watch: ClusterStore.Watch, _ request: Request, _ path: RequestPath
    ) -> ResponseBody {
        let wantsBookmarks = ["true", "1"].contains(path.query["allowWatchBookmarks"])
        let life = Duration.seconds(Int(path.query["timeoutSeconds"] ?? "").flatMap { $0 > 0 ? $0 : nil } ?? 1800)
        let interval = options.bookmarkInterval, store = store
        return ResponseBody { writer in
            var writer = writer
            defer { store.end(kind, watch.number) }
            let timer = Task {
                // One bookmark now and then, and one two seconds before the end, as the real server does it.
                let end = ContinuousClock.now + life
                while ContinuousClock.now < end {
                    let last = end - .seconds(2)
                    let next = ContinuousClock.now < last ? min(ContinuousClock.now + interval, last) : end
                    try await Task.sleep(until: next, clock: .continuous)
                    if next < end, wantsBookmarks { store.bookmark(kind, watch.number) }
                }
                store.end(kind, watch.number)
            }
            defer { timer.cancel() }
            try await request.body.consumeWithInboundCloseHandler { _ in
                for await line in watch.lines { try await writer.write(line) }
            } onInboundClosed: {
                store.end(kind, watch.number)
            }
            try await writer.finish(nil)
        }
    }
}

import Synchronization

/// Keeps what is known of all objects of a kind, by a list and a watch, and tells of each change.
///
/// Of each object only what `Value` holds is kept. When the API server is away, or no longer keeps what the watch would go on from, all are
/// listed anew, with a pause that grows to half a minute.
package final class Reflector<Value: Sendable>: Sendable {
    /// What happened to one object.
    package enum Change: Sendable {
        /// It is there, and as it is now.
        case present(name: String, Value)
        /// It is no longer there.
        case gone(name: String)
        /// Everything that there was when the list was read was told of.
        case synced
    }

    private struct State: Sendable {
        var values: [String: Value] = [:]
        var isSynced = false
        var fault: String?
    }

    private let client: KubernetesClient
    private let resource: Resource
    private let fieldSelector: String?
    private let pageSize: Int
    private let project: @Sendable (KubernetesObject) -> Value?
    private let state = Mutex(State())
    private let told: @Sendable (Change) -> Void
    private let failed: @Sendable (KubernetesError) -> Void

    /// A reflector that has not asked yet.
    ///
    /// - Parameters:
    ///   - pageSize: How many objects a part of the list has: 1 to 500.
    ///   - project: What to keep of an object; `nil` for one that is as if it were not there.
    ///   - failed: Told of each list and watch that failed.
    ///   - told: Told of each change, one after the other.
    package init(
        _ client: KubernetesClient, _ resource: Resource, fieldSelector: String? = nil, pageSize: Int = 250,
        project: @escaping @Sendable (KubernetesObject) -> Value?,
        failed: @escaping @Sendable (KubernetesError) -> Void = { _ in },
        told: @escaping @Sendable (Change) -> Void = { _ in }
    ) {
        self.client = client
        self.resource = resource
        self.fieldSelector = fieldSelector
        self.pageSize = min(max(pageSize, 1), 500)
        self.project = project
        self.failed = failed
        self.told = told
    }

    /// Whether all objects are known and were told of, as of some time after ``run()`` began.
    package var isSynced: Bool { state.withLock { $0.isSynced } }
    /// Why the last list or watch failed; `nil` when it did not.
    package var fault: String? { state.withLock { $0.fault } }
    /// What is known of an object.
    package subscript(_ name: String) -> Value? { state.withLock { $0.values[name] } }
    /// What is known of all of them, by name.
    package var values: [String: Value] { state.withLock { $0.values } }
    /// How many there are.
    package var count: Int { state.withLock { $0.values.count } }

    /// Lists and watches until the task is cancelled.
    package func run() async {
        var pause = Pause(first: .milliseconds(250), longest: .seconds(30))
        while !Task.isCancelled {
            do {
                var version = try await list()
                while !Task.isCancelled {
                    let start = ContinuousClock.now
                    version = try await watch(from: version)
                    // A list that is followed by no watch is asked for ever more seldom.
                    if .now - start > .seconds(10) { pause.reset() }
                    // A server that ends each watch at once is not asked without a break.
                    try await Task.sleep(for: .milliseconds(50))
                }
            } catch let error as KubernetesError {
                // A watch that cannot go on is no fault: the list tells what was missed.
                if error.code != .gone {
                    state.withLock { $0.fault = error.description }
                    failed(error)
                }
                let wait = error.code == .gone ? .milliseconds(50) : pause.next(atLeast: error.retryAfter)
                try? await Task.sleep(for: wait)
            } catch {
                return
            }
        }
    }

    private func list() async throws -> String {
        var limit = pageSize, values: [String: Value] = [:], token: String?, version = ""
        repeat {
            let page: ObjectPage
            do throws(KubernetesError) {
                page = try await client.list(resource, fieldSelector: fieldSelector, limit: limit, after: token)
            } catch {
                // Large objects: fewer at a time.
                guard error.code == .unreadable, limit > 1 else { throw error }
                limit /= 2
                continue
            }
            for object in page.objects {
                if let value = project(object) { values[object.name] = value }
            }
            version = page.resourceVersion
            token = page.next
            if token == nil { break }
        } while true
        let gone = state.withLock { state in
            let gone = state.values.keys.filter { values[$0] == nil }
            state.values = values
            state.fault = nil
            return gone
        }
        for name in gone { told(.gone(name: name)) }
        for (name, value) in values { told(.present(name: name, value)) }
        // Only now: who asks before it acts wants to have heard of all of them.
        state.withLock { $0.isSynced = true }
        told(.synced)
        return version
    }

    /// - Returns: From where the next watch goes on.
    private func watch(from start: String) async throws -> String {
        var version = start
        try await client.watch(resource, from: start, fieldSelector: fieldSelector) { event in
            switch event {
            case .added(let object), .modified(let object):
                version = object.resourceVersion
                take(object.name, project(object))
            case .deleted(let object):
                version = object.resourceVersion
                take(object.name, nil)
            case .bookmark(let newer): version = newer
            }
        }
        return version
    }

    private func take(_ name: String, _ value: Value?) {
        let wasThere = state.withLock { state in
            state.fault = nil
            defer { state.values[name] = value }
            return state.values[name] != nil
        }
        if let value { told(.present(name: name, value)) } else if wasThere { told(.gone(name: name)) }
    }
}

import Synchronization
import Hummingbird
import HummingbirdCore
import NIOCore

/// What tests do to a double that nobody can do to a real server.
extension ClusterDouble {
    /// Does this to the next requests that match.
    ///
    /// - Parameter times: How many of them.
    package func fault(
        _ fault: ClusterFault, times: Int = 1,
        where matches: @escaping @Sendable (ClusterRequest) -> Bool = { _ in true }
    ) {
        journal.withLock { $0.faults.append((fault, times, matches)) }
    }

    /// Forgets the faults that are left.
    package func clearFaults() { journal.withLock { $0.faults = [] } }

    /// The requests so far, 100,000 at most.
    package var requests: [ClusterRequest] { journal.withLock(\.requests) }

    /// Forgets the requests so far.
    package func clearRequests() { journal.withLock { $0.requests = [] } }

    /// Ends the watches that are open: those of a resource, or all.
    package func endWatches(of resource: String? = nil) {
        guard let resource else { return store.endWatches() }
        for kind in ResourceKind.all where kind.plural == resource { store.endWatches(of: kind) }
    }

    /// How many watches are open.
    package var watchCount: Int { store.watchCount }

    /// Forgets the past: a watch or a page that begins in it is answered with 410.
    package func compact() { store.compact() }

    /// Writes down a request, and finds what is to happen to it.
    func note(_ request: Request, _ path: RequestPath, _ verb: String, _ caller: Caller) -> ClusterFault? {
        let action = path.action(verb)
        let noted = ClusterRequest(
            verb: verb, group: action.group, resource: action.resource, namespace: path.namespace, name: path.name,
            path: request.uri.string, user: caller.name)
        return journal.withLock { journal in
            if journal.requests.count < 100_000 { journal.requests.append(noted) }
            guard let index = journal.faults.firstIndex(where: { $0.matches(noted) }) else { return nil }
            journal.faults[index].left -= 1
            defer { journal.faults.removeAll { $0.left <= 0 } }
            return journal.faults[index].fault
        }
    }
}

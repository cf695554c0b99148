import KubernetesAPI

/// Writes the gate's marks on nodes, and nothing else: everybody else's taints, labels and conditions stay as they are.
///
/// Taints are replaced as a whole by a merge patch. It names the version that it was made for, so that a node that changed meanwhile is read
/// again. A node that changes all the time, as one may that would not be tainted, does not escape: after some conflicts its taints are
/// written on whatever version there is, moments after they were read. The condition is written by itself, whatever stands beside it. One that has made itself as large as the API server takes does
/// not escape either: what the gate then writes is no larger than what it takes away.
struct NodeWriter: Sendable {
    let client: KubernetesClient
    let leadership: Leadership
    let now: @Sendable () -> Int64
    /// How long one write may take, in seconds.
    let writeSeconds: Int64

    /// What came of it.
    enum Outcome: Sendable {
        /// The node as it is now.
        case written(NodeView)
        /// The server did not take all of it: the taint is there, as short as can be, and what else there was room for.
        case shortened(NodeView, KubernetesError)
        /// The node shows another passport than the one that was judged: to be judged again.
        case changed(NodeView)
        /// It is no longer there.
        case gone
        /// This replica leads no longer.
        case lost
        case failed(KubernetesError)
    }

    /// Writes what is not yet so.
    ///
    /// - Parameters:
    ///   - insists: Whether the taint is set whatever passport the node shows meanwhile. When it is good, the next look lifts it.
    ///   - shortens: Whether marks that the server does not take are cut short whatever it says: once it has refused them some times.
    func write(
        _ marks: TaintPlan.Marks, on view: NodeView, insists: Bool = false, shortens: Bool = false
    ) async -> Outcome {
        // A node that changes all the time, which a bad kubelet can see to, has its marks all the same in the end.
        for isLast in [false, false, false, true, true, true] {
            do throws(KubernetesError) {
                let isTaint = marks.taint != nil
                return try await attempt(
                    marks, on: view, insists: insists && isTaint, blindly: isLast, shortens: shortens)
            } catch {
                if error.code == .notFound { return .gone }
                guard error.code == .conflict else { return .failed(error) }
            }
        }
        return .failed(KubernetesError(.conflict, "the node \(view.name) changes all the time"))
    }

    /// - Parameter blindly: Whether the taints are written on whatever version there is then.
    private func attempt(
        _ marks: TaintPlan.Marks, on view: NodeView, insists: Bool, blindly: Bool, shortens: Bool
    ) async throws(KubernetesError) -> Outcome {
        var object = try await client.get(.nodes, view.name)
        let fresh = NodeView(object)
        guard fresh.uid == view.uid else { return .gone }
        guard isSame(fresh.passport, view.passport) || insists else { return .changed(fresh) }
        let situation = NodeSituation(fresh, nil, isExempt: false)
        if marks.changesTaint(of: situation) {
            guard leadership.holds else { return .lost }
            let taints = UnattestedTaint.replaced(in: object.spec["taints"]?.elements ?? [], by: marks.taint, at: now())
            let label: JSONValue = marks.isLabelled ? "true" : .null
            let version = blindly ? nil : object.resourceVersion
            do throws(KubernetesError) {
                object = try await client.patch(
                    .nodes, view.name,
                    [
                        "metadata": ["uid": .string(view.uid), "labels": [NodeMark.label: label]],
                        "spec": ["taints": taints.isEmpty ? .null : .array(taints)],
                    ], expecting: version, timeout: writeSeconds)
            } catch {
                guard let taint = marks.taint, error.isTooLarge || (shortens && error.isAboutWhatIsWritten) else {
                    throw error
                }
                guard leadership.holds else { return .lost }
                return .shortened(try await shorten(taint, on: object, expecting: version), error)
            }
        }
        if marks.changesCondition(of: situation) {
            guard leadership.holds else { return .lost }
            do throws(KubernetesError) {
                object = try await client.patch(
                    .nodes, view.name, subresource: "status",
                    [
                        "metadata": ["uid": .string(view.uid)],
                        "status": ["conditions": [marks.condition.json(at: now())]],
                    ], .strategic, timeout: writeSeconds)
            } catch {
                // A taint that is there is there without its words too.
                guard marks.taint != nil, error.isTooLarge || (shortens && error.isAboutWhatIsWritten) else {
                    throw error
                }
                return .shortened(NodeView(object), error)
            }
        }
        return .written(NodeView(object))
    }

    /// Sets the taint so that the node does not grow, which no limit forbids however large a node has made itself: one short taint, and in
    /// its place the label goes, the passport, and the lists of who wrote what. One request does all of it, so that nobody can take the
    /// room in between. The node's agent shows its next passport in some minutes.
    private func shorten(
        _ taint: UnattestedTaint, on object: KubernetesObject, expecting version: String?
    ) async throws(KubernetesError) -> NodeView {
        let short = taint.shortest, present = NodeView(object)
        if present.taint?.undated == short.undated, !present.isLabelled { return present }
        let taints = UnattestedTaint.replaced(in: object.spec["taints"]?.elements ?? [], by: short, at: now())
        let metadata: JSONValue = [
            "uid": .string(object.uid), "labels": [NodeMark.label: .null], "annotations": [NodeMark.passport: .null],
            "managedFields": [[:]],
        ]
        return NodeView(
            try await client.patch(
                .nodes, object.name, ["metadata": metadata, "spec": ["taints": .array(taints)]], expecting: version,
                timeout: writeSeconds))
    }
}

extension KubernetesError {
    /// Whether the server, or what it stores objects in, says that an object is too large: in the words of the API server, of etcd, and of
    /// the protocol between the two.
    var isTooLarge: Bool {
        status == 413 || ["too large", "larger than max"].contains { message.lowercased().contains($0) }
    }

    /// Whether the server may take another write of the same object.
    var isAboutWhatIsWritten: Bool { code == .invalid || (code == .server && status != 503 && status != 504) }
}

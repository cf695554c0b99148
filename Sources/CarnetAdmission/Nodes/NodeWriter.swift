import KubernetesAPI

/// Writes the gate's marks on nodes, and nothing else: everybody else's taints, labels and conditions stay as they are.
///
/// Arrays are replaced as a whole by a merge patch. Each patch names the version that it was made for, so that a node that changed meanwhile
/// is read again. A node that changes all the time, as one may that would not be tainted, does not escape: after some conflicts its taint
/// is set on whatever version there is, moments after its taints were read.
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
    /// - Parameter insists: Whether the taint is set whatever passport the node shows meanwhile. When it is good, the next look lifts it.
    func write(_ marks: TaintPlan.Marks, on view: NodeView, insists: Bool = false) async -> Outcome {
        // A node that changes all the time, which a bad kubelet can see to, is tainted all the same in the end.
        for isLast in [false, false, false, true, true, true] {
            do throws(KubernetesError) {
                let isTaint = marks.taint != nil
                return try await attempt(marks, on: view, insists: insists && isTaint, blindly: isLast && isTaint)
            } catch {
                if error.code == .notFound { return .gone }
                guard error.code == .conflict else { return .failed(error) }
            }
        }
        return .failed(KubernetesError(.conflict, "the node \(view.name) changes all the time"))
    }

    /// - Parameter blindly: Whether the taint is set on whatever version there is then.
    private func attempt(
        _ marks: TaintPlan.Marks, on view: NodeView, insists: Bool, blindly: Bool
    ) async throws(KubernetesError) -> Outcome {
        var object = try await client.get(.nodes, view.name), fresh = NodeView(object)
        guard fresh.uid == view.uid else { return .gone }
        guard fresh.passport == view.passport || insists else { return .changed(fresh) }
        let situation = NodeSituation(fresh, nil, isExempt: false)
        if marks.changesTaint(of: situation) {
            guard leadership.holds else { return .lost }
            let taints = UnattestedTaint.replaced(in: object.spec["taints"]?.elements ?? [], by: marks.taint, at: now())
            let label: JSONValue = marks.isLabelled ? "true" : .null
            object = try await client.patch(
                .nodes, view.name,
                [
                    "metadata": ["labels": [NodeMark.label: label]],
                    "spec": ["taints": taints.isEmpty ? .null : .array(taints)],
                ], expecting: blindly ? nil : object.resourceVersion, timeout: writeSeconds)
        }
        if marks.changesCondition(of: situation) {
            guard leadership.holds else { return .lost }
            let conditions = object.status["conditions"]?.elements ?? []
            object = try await client.patch(
                .nodes, view.name, subresource: "status",
                ["status": ["conditions": .array(marks.condition.replaced(in: conditions, at: now()))]],
                expecting: object.resourceVersion, timeout: writeSeconds)
        }
        fresh = NodeView(object)
        return .written(fresh)
    }
}

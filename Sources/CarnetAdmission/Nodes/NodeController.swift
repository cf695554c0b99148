import CarnetRelyingService
import CarnetTrustRefresh
import KubernetesAPI
import Logging
import NodeAdmission
import Synchronization

/// Keeps the gate's marks on nodes as they should be, while this replica leads.
struct NodeController: Sendable {
    let client: KubernetesClient
    let rules: AdmissionRules
    let trust: TrustKeeper
    let limits: TaintLimits
    let exempt: Set<String>
    let namespace: String
    let metrics: AdmissionMetrics
    let logger: Logger
    let now: @Sendable () -> Int64
    /// How long one write may take, in seconds.
    let writeSeconds: Int64
    /// How often to look whether a time has come.
    let tick: Duration
    /// Called when news of the verifier may help.
    let needsNews: @Sendable () -> Void

    /// How many nodes are written at once.
    static let width = 8
    /// How often in a row a node may show another passport just when it is to be tainted, or a write of it may fail.
    private static let patience = 3
    /// How many events about nodes that are held back are told at one look.
    private static let heldEventCount = 10
    /// After what time a node is tried again whose marks were cut short, and how often people are told of it.
    private static let shortPause = Duration.seconds(60), tellingPause = Duration.seconds(600)

    /// What came from outside since the last look.
    private final class Inbox: Sendable {
        struct Content: Sendable {
            var nodes: [String: NodeView?] = [:]
            var isSynced = false
            var hasNews = false
            var wakeAt: Int64?
        }

        let content = Mutex(Content())
        let ticks: AsyncStream<Void>
        let input: AsyncStream<Void>.Continuation

        init() { (ticks, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

        func put(_ change: (inout Content) -> Void) {
            content.withLock { change(&$0) }
            input.yield()
        }

        func take() -> Content {
            content.withLock { content in
                defer {
                    content.nodes = [:]
                    content.hasNews = false
                }
                return content
            }
        }
    }

    /// What is remembered from one look to the next.
    private struct Memory: Sendable {
        var book = NodeBook()
        var held: Set<String> = []
        var failures: [String: Int] = [:]
        /// How often in a row a node showed another passport when it was to be written.
        var changes: [String: Int] = [:]
        var notBefore: [String: ContinuousClock.Instant] = [:]
        var word: (end: Int64?, at: ContinuousClock.Instant)?
        var untaken: [String: Untaken] = [:]

        /// A node is gone.
        mutating func forget(_ name: String) {
            failures[name] = nil
            changes[name] = nil
            notBefore[name] = nil
            untaken[name] = nil
        }
    }

    /// That the API server does not take all marks of a node.
    private struct Untaken: Sendable {
        /// The taint that was asked for, without its time.
        var taint: UnattestedTaint?
        /// Until when nothing else is tried, unless another taint is due.
        var until: ContinuousClock.Instant?
        var toldAt: ContinuousClock.Instant
    }

    /// Works until the task is cancelled, or this replica leads no longer.
    ///
    /// - Parameter news: Ticks when keys or lists came.
    func run(_ leadership: Leadership, events: EventRecorder, news: AsyncStream<Void>) async {
        let inbox = Inbox()
        let nodes = Reflector<NodeView>(
            client, .nodes, project: { NodeView($0) },
            failed: { [logger, metrics] error in
                metrics.failed(error)
                logger.warning("nodes cannot be read", metadata: ["reason": .string("\(error)")])
            },
            told: { change in
                inbox.put { content in
                    switch change {
                    case .present(let name, let view): content.nodes[name] = .some(view)
                    case .gone(let name): content.nodes[name] = .some(nil)
                    case .synced: content.isSynced = true
                    }
                }
            })
        let writer = NodeWriter(client: client, leadership: leadership, now: now, writeSeconds: writeSeconds)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await nodes.run() }
            group.addTask { for await _ in news { inbox.put { $0.hasNews = true } } }
            group.addTask { [now, tick] in
                while (try? await Task.sleep(for: tick)) != nil {
                    if inbox.content.withLock({ $0.wakeAt.map { now() >= $0 } ?? true }) { inbox.input.yield() }
                }
            }
            group.addTask {
                var memory = Memory()
                for await _ in inbox.ticks {
                    guard leadership.holds else { continue }
                    await look(inbox, &memory, writer, events)
                    // What comes in the next moment is looked at together.
                    try? await Task.sleep(for: tick / 5)
                }
            }
        }
        metrics.stoppedCounting()
    }

    private func look(_ inbox: Inbox, _ memory: inout Memory, _ writer: NodeWriter, _ events: EventRecorder) async {
        let content = inbox.take()
        for (name, view) in content.nodes {
            memory.book.take(name, view)
            if view == nil { memory.forget(name) }
        }
        if content.hasNews { memory.book.doubtAll() }
        // Before anything was asked, nobody can know anything, and nothing follows from that.
        guard content.isSynced, trust.isFromFile || trust.refresher.lastOutcome != nil else { return }
        let time = now(), verifier = trust.refresher.verifier
        memory.book.look(at: time) { rules.knownStanding(ofPassport: $0, node: $1, by: verifier, at: time) }
        let situations = memory.book.situations(exempt: exempt)
        let standings = situations.map { ($0.name, $0) }
        if situations.contains(where: { if case .unknown = $0.standing { true } else { false } }) { needsNews() }
        // What may have been tainted counts as tainted.
        let counting = situations.map { situation in
            var situation = situation
            if situation.taint == nil, memory.book.entries[situation.name]?.mayBeTainted == true {
                situation.taint = UnattestedTaint(.lapsed, since: time)
            }
            return situation
        }
        var plan = TaintPlan(counting, limits, at: time)
        if !plan.held.isEmpty, await operatorAllows(&memory, at: time) {
            plan = TaintPlan(counting, limits, at: time, isAllowed: true)
        }
        metrics.counted(situations, plan)
        tellHeld(plan, &memory, events)
        let present = Dictionary(standings) { $1 }
        await write(plan, present, &memory, writer, events)
        let soonest = min(plan.changesAt ?? .max, time + NodeBook.lookInterval)
        metrics.untaken(memory.untaken.count)
        let isCalm = plan.held.isEmpty && memory.failures.isEmpty && memory.untaken.isEmpty
        inbox.content.withLock { $0.wakeAt = isCalm ? soonest : time + 1 }
    }

    /// Whether an operator lets more nodes be tainted now. It is asked for only when it matters, and not at each look.
    private func operatorAllows(_ memory: inout Memory, at time: Int64) async -> Bool {
        if let word = memory.word, .now - word.at < tick * 5 { return word.end.map { $0 > time } ?? false }
        var end: Int64?
        do {
            end = OperatorsWord.end(in: try await client.get(.configMaps(namespace), OperatorsWord.name), at: time)
            if let end, memory.word?.end != end {
                logger.notice(
                    "an operator lets more nodes be tainted", metadata: ["until": .stringConvertible(end)])
            }
        } catch {
            if error.code != .notFound {
                logger.warning("the operator's word cannot be read", metadata: ["reason": .string("\(error)")])
            }
        }
        memory.word = (end, .now)
        return end != nil
    }

    private func tellHeld(_ plan: TaintPlan, _ memory: inout Memory, _ events: EventRecorder) {
        let new = plan.held.subtracting(memory.held)
        if !new.isEmpty || (plan.held.isEmpty && !memory.held.isEmpty) {
            logger.log(
                level: plan.held.isEmpty ? .notice : .error,
                plan.held.isEmpty ? "no taint is held back any more" : "taints are held back",
                metadata: [
                    "held": .stringConvertible(plan.held.count), "most": .stringConvertible(plan.most),
                    "nodes": .stringConvertible(plan.counted),
                ])
        }
        for name in new.sorted().prefix(Self.heldEventCount) {
            guard let view = memory.book.entries[name]?.view, let marks = plan.marks[name] else { continue }
            events.tell(EventSubject(kind: "Node", name: name, uid: view.uid), .warning, "TaintHeldBack", marks.stage)
        }
        memory.held = plan.held
    }

    private func write(
        _ plan: TaintPlan, _ present: [String: NodeSituation], _ memory: inout Memory, _ writer: NodeWriter,
        _ events: EventRecorder
    ) async {
        let instant = ContinuousClock.now
        for name in Array(memory.untaken.keys) {
            guard let marks = plan.marks[name], let situation = present[name] else { continue }
            if !marks.changesTaint(of: situation), !marks.changesCondition(of: situation) {
                memory.untaken[name] = nil
            }
        }
        let work = plan.marks.compactMap { name, marks -> (NodeView, TaintPlan.Marks)? in
            guard let situation = present[name], let view = memory.book.entries[name]?.view,
                marks.changesTaint(of: situation) || marks.changesCondition(of: situation),
                memory.notBefore[name].map({ $0 <= instant }) ?? true
            else { return nil }
            if let untaken = memory.untaken[name], let until = untaken.until, until > instant,
                untaken.taint == marks.taint?.undated
            {
                return nil
            }
            return (view, marks)
        }.sorted { Self.rank($0) < Self.rank($1) }
        guard !work.isEmpty else { return }
        // A node that shows another passport each time is judged by the last that was looked at.
        let restless = Set(memory.changes.filter { $0.value >= Self.patience }.keys)
        let refused = Set(memory.failures.filter { $0.value >= Self.patience }.keys)
        let attempt: @Sendable (TaintPlan.Marks, NodeView) async -> NodeWriter.Outcome = { marks, view in
            await writer.write(
                marks, on: view, insists: restless.contains(view.name), shortens: refused.contains(view.name))
        }
        await withTaskGroup(of: (NodeView, TaintPlan.Marks, NodeWriter.Outcome).self) { group in
            var next = work.makeIterator(), isAway = false
            for _ in 0..<Self.width {
                guard let (view, marks) = next.next() else { break }
                group.addTask { (view, marks, await attempt(marks, view)) }
            }
            while let (view, marks, outcome) = await group.next() {
                take(outcome, view, marks, &memory, events)
                switch outcome {
                // An API server that is away is not asked about each node.
                case .failed(let error) where error.code == .unreachable || error.code == .tooManyRequests:
                    isAway = true
                case .lost: isAway = true
                default: break
                }
                if !isAway, let (view, marks) = next.next() {
                    group.addTask { (view, marks, await attempt(marks, view)) }
                }
            }
        }
    }

    /// Taints before mere words: first those that are lifted, then those that are set.
    private static func rank(_ work: (NodeView, TaintPlan.Marks)) -> Int {
        let (view, marks) = work
        if view.taint != nil, marks.taint == nil { return 0 }
        return view.taint == marks.taint ? 2 : 1
    }

    private func take(
        _ outcome: NodeWriter.Outcome, _ view: NodeView, _ marks: TaintPlan.Marks, _ memory: inout Memory,
        _ events: EventRecorder
    ) {
        let name = view.name
        switch outcome {
        case .written(let fresh):
            memory.book.take(name, fresh)
            memory.failures[name] = nil
            memory.changes[name] = nil
            memory.notBefore[name] = nil
            memory.untaken[name] = nil
            tellWritten(fresh, view, marks, events)
        case .shortened(let fresh, let error):
            metrics.failed(error)
            memory.book.take(name, fresh)
            memory.changes[name] = nil
            memory.notBefore[name] = nil
            tellWritten(fresh, view, marks, events)
            tellUntaken(view, marks, error, until: .now + Self.shortPause, &memory, events)
        case .changed(let fresh):
            memory.book.take(name, fresh)
            memory.changes[name, default: 0] += 1
        case .gone, .lost: break
        case .failed(let error):
            metrics.failed(error)
            if marks.taint != nil { memory.book.suspectTaint(name) }
            let failures = memory.failures[name, default: 0] + 1
            memory.failures[name] = min(failures, 6)
            let pause = max(Duration.seconds(1 << min(failures, 6)), .seconds(error.retryAfter ?? 0))
            memory.notBefore[name] = .now + min(pause, .seconds(60))
            if marks.taint != nil, error.isTooLarge || (failures > Self.patience && error.isAboutWhatIsWritten) {
                tellUntaken(view, marks, error, until: nil, &memory, events)
            }
            logger.warning(
                "a node cannot be marked", metadata: ["node": .string(name), "reason": .string("\(error)")])
        }
    }

    /// The API server does not take all marks of a node, which is told once in a while.
    ///
    /// - Parameter until: Until when the marks stay as they are; `nil` when not even the taint was taken.
    private func tellUntaken(
        _ view: NodeView, _ marks: TaintPlan.Marks, _ error: KubernetesError, until: ContinuousClock.Instant?,
        _ memory: inout Memory, _ events: EventRecorder
    ) {
        let instant = ContinuousClock.now, before = memory.untaken[view.name]
        var untaken = Untaken(taint: marks.taint?.undated, until: until, toldAt: before?.toldAt ?? instant)
        defer { memory.untaken[view.name] = untaken }
        let isNews = before.map { ($0.until == nil) != (until == nil) || instant - $0.toldAt > Self.tellingPause }
        guard isNews ?? true else { return }
        untaken.toldAt = instant
        logger.error(
            until == nil ? "a node cannot be tainted" : "a node leaves no room for all of the gate's marks",
            metadata: ["node": .string(view.name), "reason": .string("\(error)")])
        let what = until == nil ? "the taint" : "all of the gate's marks; the taint is there"
        events.tell(
            EventSubject(kind: "Node", name: view.name, uid: view.uid), .warning, "MarksRefused",
            "The API server does not take \(what): \(error.message). A node that fills its object to the limit hides something: kubectl get node \(view.name) -o json, and kubectl delete node \(view.name); kubectl describe tells of finalizers that keep it."
        )
    }

    private func tellWritten(
        _ fresh: NodeView, _ before: NodeView, _ marks: TaintPlan.Marks, _ events: EventRecorder
    ) {
        let subject = EventSubject(kind: "Node", name: fresh.name, uid: fresh.uid)
        let metadata: Logger.Metadata = [
            "node": .string(fresh.name), "reason": .string(marks.condition.reason),
        ]
        switch (before.taint, fresh.taint) {
        case (_?, nil):
            logger.notice("a taint is lifted", metadata: metadata)
            events.tell(subject, .normal, "TaintLifted", marks.condition.message)
        case (let old, let new?) where old?.isInForce != new.isInForce || old?.evicts != new.evicts:
            if old?.isInForce != true { metrics.tainted(new.reason, delay: marks.dueAt.map { now() - $0 }) }
            logger.warning(
                new.evicts ? "a node is tainted NoExecute" : "a node is tainted NoSchedule", metadata: metadata)
            events.tell(
                subject, .warning, new.evicts ? "TaintedNoExecute" : "TaintedNoSchedule", marks.condition.message)
        default: break
        }
    }
}

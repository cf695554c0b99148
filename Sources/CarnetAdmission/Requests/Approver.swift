import CarnetRelyingService
import CarnetTrustRefresh
import KubernetesAPI
import Logging
import NodeAdmission
import Synchronization

/// Approves and denies requests for nodes' certificates, while this replica leads.
///
/// All requests are listed anew when the lead begins, so that nothing that another replica approved is overlooked. A request is written
/// back as it was read: one that changed meanwhile is a conflict, and is read and decided again.
struct Approver: Sendable {
    let client: KubernetesClient
    let rules: AdmissionRules
    let trust: TrustKeeper
    let addresses: AddressBook
    let metrics: AdmissionMetrics
    let logger: Logger
    let now: @Sendable () -> Int64
    /// How long one write may take, in seconds.
    let writeSeconds: Int64
    /// Called when news of the verifier may help.
    let needsNews: @Sendable () -> Void

    /// How many requests are decided at once.
    static let width = 8

    /// What one lead keeps.
    struct Term: Sendable {
        let leadership: Leadership
        /// One for each signer: other signers' requests, which anybody may make, are never read.
        let requests: [Reflector<SigningRequest>]
        let queue: RetryQueue
        let used: UsedPassports
        let events: EventRecorder
        let told = ToldOnce()
        /// What was decided, by `metadata.uid`: what is known of a request may be older.
        let decided = ToldOnce()
    }

    /// Decides until the task is cancelled.
    ///
    /// - Parameter news: Ticks when keys or lists came.
    func run(_ leadership: Leadership, events: EventRecorder, news: AsyncStream<Void>) async {
        let queue = RetryQueue(), used = UsedPassports(), metrics = metrics, now = now
        let requests = NodeCertificateRequest.Signer.allCases.map { signer in
            Reflector<SigningRequest>(
                client, .certificateSigningRequests, fieldSelector: "spec.signerName=" + signer.rawValue, pageSize: 50,
                project: { SigningRequest($0) },
                failed: { [logger] error in
                    metrics.failed(error)
                    logger.warning("requests cannot be read", metadata: ["reason": .string("\(error)")])
                },
                told: { change in
                    switch change {
                    case .present(let name, .undecided): queue.add(name)
                    case .present(_, .approved(let uid, let signer, let tokenID?)):
                        used.note(tokenID, signer, for: uid, at: now())
                    default: break
                    }
                })
        }
        let term = Term(leadership: leadership, requests: requests, queue: queue, used: used, events: events)
        await withTaskGroup(of: Void.self) { group in
            for requests in requests { group.addTask { await requests.run() } }
            group.addTask {
                for await _ in news {
                    for (name, request) in requests.flatMap(\.values) {
                        if case .undecided = request { queue.add(name) }
                    }
                }
            }
            group.addTask {
                await queue.run(width: Self.width) { name in
                    // What was used before has to be known before anything is approved.
                    guard requests.allSatisfy(\.isSynced) else { return .again(atLeast: nil) }
                    defer { metrics.queued(queue.count) }
                    return await decide(name, term)
                }
            }
        }
        metrics.queued(0)
    }

    private func decide(_ name: String, _ term: Term) async -> RetryQueue.Ending {
        guard case .undecided(let uid)? = term.requests.lazy.compactMap({ $0[name] }).first,
            !term.decided.contains(uid)
        else { return .done }
        let start = ContinuousClock.now
        for _ in 0..<5 {
            do throws(KubernetesError) {
                let object = try await client.get(.certificateSigningRequests, name)
                guard object.uid == uid, let request = SigningRequest.undecided(in: object) else { return .done }
                return try await decide(object, request, term, start)
            } catch {
                metrics.failed(error)
                // Invalid too: a request cannot be approved that somebody else denied meanwhile.
                guard error.code == .conflict || error.code == .invalid else { return ending(of: error, name) }
            }
        }
        return .again(atLeast: nil)
    }

    private func ending(of error: KubernetesError, _ name: String) -> RetryQueue.Ending {
        if error.code == .notFound { return .done }
        logger.warning(
            "a decision cannot be written", metadata: ["request": .string(name), "reason": .string("\(error)")])
        return .again(atLeast: error.retryAfter)
    }

    private func decide(
        _ object: KubernetesObject, _ request: NodeCertificateRequest, _ term: Term, _ start: ContinuousClock.Instant
    ) async throws(KubernetesError) -> RetryQueue.Ending {
        let known = NodeName.ofUser(request.username).flatMap { addresses.known($0) }
        var decision = rules.decide(request, by: trust.refresher.verifier, at: now(), known: known)
        if case .admit(let node) = decision,
            !term.used.take(node.tokenID, request.signer, for: object.uid, at: now())
        {
            decision = .deny(Self.replayed(node))
        }
        let decided: KubernetesObject
        switch decision {
        case .wait(let denial):
            metrics.decided(.approver, "wait", denial.reason)
            if denial.isAboutNews { needsNews() }
            if term.told.isFirst(object.uid + denial.reason) {
                logger.warning(
                    "a request waits",
                    metadata: ["request": .string(object.name), "reason": .string(denial.description)])
                term.events.tell(
                    EventSubject(object, kind: "CertificateSigningRequest", apiVersion: "certificates.k8s.io/v1"),
                    .warning, denial.reason, denial.message)
            }
            return .again(atLeast: nil)
        case .deny(let denial):
            decided = object.deciding("Denied", reason: denial.reason, message: denial.message, at: now())
        case .admit(let node):
            decided = object.deciding("Approved", reason: "NodeAttested", message: Self.words(node), at: now())
        }
        // A former leader writes nothing: another may have begun.
        guard term.leadership.holds else { return .done }
        try await client.replace(
            .certificateSigningRequests, decided, subresource: "approval", timeout: writeSeconds)
        _ = term.decided.isFirst(object.uid)
        report(decision, request, since: start)
        return .done
    }

    private func report(
        _ decision: NodeDecision, _ request: NodeCertificateRequest, since start: ContinuousClock.Instant
    ) {
        switch decision {
        case .admit(let node):
            metrics.decided(.approver, "admit", "NodeAttested")
            logger.notice(
                "a request is approved",
                metadata: [
                    "request": .string(request.name), "node": .string(node.node), "subject": .string(node.subject),
                    "jti": .string(node.tokenID), "signer": .string(request.signer.rawValue),
                ])
        case .deny(let denial):
            metrics.decided(.approver, "deny", denial.reason)
            logger.notice(
                "a request is denied",
                metadata: [
                    "request": .string(request.name), "user": .string(String(request.username.prefix(256))),
                    "signer": .string(request.signer.rawValue), "reason": .string(denial.description),
                ])
        case .wait: break
        }
        metrics.took(.approver, .now - start)
    }

    private static func words(_ node: AdmittedNode) -> String {
        "The machine \(node.subject) is attested as the node \(node.node) (passport \(node.tokenID))."
    }

    private static func replayed(_ node: AdmittedNode) -> Denial {
        Denial(
            .passportUsed, "The passport \(node.tokenID) served another request of this signer",
            nextStep: "Let the machine attest again for each request, as carnet-agent kubelet does")
    }
}

extension Denial {
    /// Whether newer keys or lists of the verifier may help.
    var isAboutNews: Bool {
        [
            "PassportsCannotBeChecked", "PassportUnknownKey", "PassportKeysStale", "PassportStatusUnknown",
            "PassportStatusExpired", "PassportStatusStale",
        ].contains(reason)
    }
}

/// What was told already, so that it is not told at each try.
final class ToldOnce: Sendable {
    private let told = Mutex<Set<String>>([])

    /// Whether it was told.
    func contains(_ key: String) -> Bool { told.withLock { $0.contains(key) } }

    /// Whether it is the first time.
    func isFirst(_ key: String) -> Bool {
        told.withLock { told in
            // Forgetting is better than growing.
            if told.count >= 10_000 { told.removeAll() }
            return told.insert(key).inserted
        }
    }
}

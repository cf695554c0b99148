import Foundation
import StrictEncoding

/// One of several replicas leads: whoever holds the Lease.
///
/// The holder renews it every third of its duration. Another takes it when it saw no renewal for the whole duration by its own clock. A
/// holder that could not renew for two thirds of the duration stops by itself, so that for a third nobody writes.
package struct LeaderElection: Sendable {
    /// How the lease is held.
    package struct Settings: Sendable, Hashable {
        /// The namespace of the lease.
        package var namespace: String
        /// The lease's name.
        package var name: String
        /// Who this replica is, different from every other.
        package var identity: String
        /// How long a silent holder counts.
        package var duration: Duration

        /// Settings.
        package init(namespace: String, name: String, identity: String, duration: Duration = .seconds(15)) {
            self.namespace = namespace
            self.name = name
            self.identity = identity
            self.duration = duration
        }
    }

    /// What happens to the lead, for the log.
    package enum Step: Sendable, Hashable {
        /// This replica leads.
        case began
        /// It leads no longer; why.
        case ended(String)
        /// Another leads.
        case follows(String)
        /// The lease cannot be read or written; why.
        case failed(String)
    }

    private let client: KubernetesClient
    private let settings: Settings
    private let clock: @Sendable () -> ContinuousClock.Instant
    private let tell: @Sendable (Step) -> Void

    /// An election.
    ///
    /// - Parameters:
    ///   - clock: A clock that nobody sets.
    ///   - tell: Told of every change.
    package init(
        _ client: KubernetesClient, _ settings: Settings,
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        tell: @escaping @Sendable (Step) -> Void = { _ in }
    ) {
        self.client = client
        self.settings = settings
        self.clock = clock
        self.tell = tell
    }

    private var resource: Resource { .leases(settings.namespace) }
    /// How long before the lease's end its holder stops, and how often it renews.
    private var third: Duration { settings.duration / 3 }
    private var seconds: Int64 { max(settings.duration.components.seconds, 1) }

    /// Takes part until the task is cancelled, and then gives the lease back. `lead` runs while this replica leads and is cancelled when it
    /// leads no longer; it is waited for before the lease is given back.
    package func run(_ lead: @escaping @Sendable (Leadership) async -> Void) async {
        var seen: (version: String, at: ContinuousClock.Instant)?
        var told: Step?
        func say(_ step: Step) {
            if told != step { tell(step) }
            told = step
        }
        while !Task.isCancelled {
            do {
                switch try await attempt(&seen) {
                case .took(let leadership):
                    say(.began)
                    let reason = await hold(leadership, lead)
                    say(.ended(reason))
                    seen = nil
                case .follows(let holder): say(.follows(holder))
                }
            } catch {
                say(.failed("\(error)"))
            }
            try? await Task.sleep(for: third * Double.random(in: 0.8...1))
        }
    }

    private enum Attempt {
        case took(Leadership)
        case follows(String)
    }

    /// Takes the lease if it is free, or its holder was silent for too long.
    private func attempt(_ seen: inout (version: String, at: ContinuousClock.Instant)?) async throws -> Attempt {
        let start = clock()
        let lease: KubernetesObject
        do throws(KubernetesError) {
            lease = try await client.get(resource, settings.name, timeout: timeout)
        } catch {
            guard error.code == .notFound else { throw error }
            let record = record(after: nil)
            try await client.create(
                resource,
                KubernetesObject([
                    "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                    "metadata": ["name": .string(settings.name), "namespace": .string(settings.namespace)],
                    "spec": record.spec,
                ]), timeout: timeout)
            return .took(leadership(from: start))
        }
        let held = LeaseRecord(lease)
        if seen?.version != lease.resourceVersion { seen = (lease.resourceVersion, clock()) }
        if !held.holder.isEmpty, held.holder != settings.identity, let seen,
            start - seen.at < max(.seconds(held.seconds), settings.duration)
        {
            return .follows(held.holder)
        }
        var next = lease
        next.json["spec"] = record(after: held).spec
        do throws(KubernetesError) {
            try await client.replace(resource, next, timeout: timeout)
        } catch {
            // Another was faster.
            guard error.code == .conflict else { throw error }
            return .follows("another")
        }
        return .took(leadership(from: start))
    }

    private func leadership(from start: ContinuousClock.Instant) -> Leadership {
        Leadership(until: start + settings.duration - third, now: clock)
    }

    /// The time of one request: a third of the lease at most.
    private var timeout: Int64 { max(third.components.seconds, 1) }

    private func record(after held: LeaseRecord?) -> LeaseRecord {
        let time = Self.microTime(Date.now.timeIntervalSince1970)
        let isOwn = held?.holder == settings.identity
        return LeaseRecord(
            holder: settings.identity, seconds: seconds, acquiredAt: isOwn ? held?.acquiredAt ?? time : time,
            renewedAt: time, transitions: (held?.transitions ?? 0) + (held == nil || isOwn ? 0 : 1))
    }

    /// Runs `lead` and renews until the lease is lost or the task is cancelled.
    ///
    /// - Returns: Why it ended.
    private func hold(
        _ leadership: Leadership, _ lead: @escaping @Sendable (Leadership) async -> Void
    ) async -> String {
        let reason = await withTaskGroup(of: String?.self) { group in
            group.addTask {
                await lead(leadership)
                return nil
            }
            group.addTask { await renew(leadership) }
            // When the work ends by itself, or the lease is lost, the other ends too.
            let first = await group.next() ?? nil
            leadership.end()
            group.cancelAll()
            var reason = first
            while let next = await group.next() { reason = reason ?? next }
            return reason ?? "its work has ended"
        }
        await release()
        return reason
    }

    private func renew(_ leadership: Leadership) async -> String {
        var fault = "the lease was not renewed in time"
        while leadership.holds {
            // Half of the time until the next: a renewal that fails is tried again.
            guard (try? await Task.sleep(for: third / 2)) != nil else { return "it was asked to stop" }
            let start = clock()
            do throws(KubernetesError) {
                var lease = try await client.get(resource, settings.name)
                let held = LeaseRecord(lease)
                guard held.holder == settings.identity else { return "\(held.holder) took the lease" }
                lease.json["spec"] = record(after: held).spec
                try await client.replace(resource, lease, timeout: timeout)
                guard leadership.extend(to: start + settings.duration - third) else {
                    return "the lease was renewed too late"
                }
            } catch {
                fault = "the lease was not renewed in time: \(error)"
            }
        }
        return fault
    }

    /// Gives the lease back, if it is still this replica's, so that another need not wait. Of no consequence when it fails.
    private func release() async {
        let client = client, resource = resource, settings = settings, timeout = timeout
        // Also when the task was cancelled.
        await Task.detached {
            guard var lease = try? await client.get(resource, settings.name) else { return }
            var held = LeaseRecord(lease)
            guard held.holder == settings.identity else { return }
            held.holder = ""
            held.seconds = 1
            lease.json["spec"] = held.spec
            _ = try? await client.replace(resource, lease, timeout: timeout)
        }.value
    }

    /// A time with microseconds, RFC 3339, as a Lease has it.
    static func microTime(_ time: Double) -> String {
        let whole = time.rounded(.down), micros = Int((time - whole) * 1_000_000)
        let digits = String(min(max(micros, 0), 999_999))
        return String(RFC3339.format(Int64(whole)).dropLast()) + "." + String(repeating: "0", count: 6 - digits.count)
            + digits + "Z"
    }
}

import CarnetService
package import Logging

/// Looks at the keys' schedule every minute, for as long as the service runs. Every replica does; whoever comes first acts.
package struct SigningKeyRotation: Sendable {
    package let keys: SigningKeys
    package let interval: Duration
    package let clock: WallClock
    package let logger: Logger

    /// A rotation of `keys`.
    package init(keys: SigningKeys, interval: Duration, clock: WallClock, logger: Logger) {
        self.keys = keys
        self.interval = interval
        self.clock = clock
        self.logger = logger
    }

    /// Until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            await look()
            try? await Task.sleep(for: interval)
        }
    }

    private func look() async {
        do {
            let now = clock.now
            for event in try await keys.change({ try await $0.look(at: now) }) {
                logger.notice(
                    "signing key", metadata: ["kid": .string(event.kid), "state": .string(event.state.rawValue)])
            }
        } catch {
            // The keys stay as they are; the next look tries again.
            if !Task.isCancelled {
                logger.error("the signing keys' schedule could not be kept", metadata: ["cause": .string("\(error)")])
            }
        }
    }
}

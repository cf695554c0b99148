import CarnetService
import Logging

/// Looks at the keys' schedule every minute, for as long as the service runs. Every replica does; whoever comes first acts.
struct SigningKeyRotation: Sendable {
    let keys: SigningKeys
    let interval: Duration
    let clock: WallClock
    let logger: Logger

    /// Until the task is cancelled.
    func run() async {
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

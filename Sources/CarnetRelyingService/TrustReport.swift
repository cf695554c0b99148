import CarnetTrustRefresh
import Logging
import StrictEncoding
import Synchronization

/// Tells operators of refreshes that fail, and of the first that succeeds again: once for each change, and not at every try.
final class TrustReport: Sendable {
    private let told = Mutex<String?>(nil)

    /// How a refresh ended.
    ///
    /// - Parameters:
    ///   - outage: Why nobody is served until one succeeds; `nil` while what is at hand still counts.
    ///   - dueAt: When the next one is due, in seconds since 1970.
    func refreshed(_ outcome: TrustRefresher.Outcome, outage: String?, dueAt: Int64, _ logger: Logger) {
        switch outcome {
        case .kept(let reason):
            // The same fault with another consequence is news.
            let news = reason + "\u{0}" + (outage == nil ? "" : "out")
            guard change(to: news) else { return }
            logger.warning(
                outage == nil
                    ? "the verifier's keys and lists cannot be fetched; those at hand count on"
                    : "the verifier's keys and lists cannot be fetched, and nobody is served without them",
                metadata: [
                    "reason": .string(reason), "next_try": .string(RFC3339.format(dueAt)),
                    "outage": .string(outage ?? "none"),
                ])
        case .refreshed:
            guard change(to: nil) else { return }
            logger.notice("the verifier's keys and lists are fetched again")
        case .notDue: break
        }
    }

    private func change(to news: String?) -> Bool {
        told.withLock { told in
            defer { told = news }
            return told != news
        }
    }
}

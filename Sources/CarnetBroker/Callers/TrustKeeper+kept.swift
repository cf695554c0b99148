import CarnetRelyingService
import CarnetTrustRefresh
import Logging
import StrictEncoding

extension TrustKeeper {
    /// Takes what the last run fetched and kept, and keeps what this one fetches. A file that is not taken is told of, and the broker
    /// begins without. With a bundle there is nothing to do: its file is kept already.
    func keep(in kept: KeptTrustFile, _ logger: Logger) {
        guard !isFromFile else { return }
        do {
            if let trust = try kept.read() {
                try refresher.take(trust)
                logger.notice(
                    "keys and lists of the last run count until newer ones come",
                    metadata: ["fetched": .string(RFC3339.format(trust.fetchedAt))])
            }
        } catch {
            logger.warning(
                "keys and lists of the last run are not taken",
                metadata: ["file": .string(kept.path), "reason": .string("\(error)")])
        }
        refresher.keeping { trust in
            do {
                try kept.write(trust)
            } catch {
                logger.error(
                    "keys and lists cannot be kept for the next start", metadata: ["reason": .string("\(error)")])
            }
        }
    }
}

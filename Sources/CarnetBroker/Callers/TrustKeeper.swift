import CarnetRecords
import CarnetRelyingParty
import CarnetResult
import CarnetService
import CarnetTrustRefresh
import Foundation
import Logging
import StrictEncoding

/// Whom the broker believes, kept up to date: a verifier's keys and lists over the network, or a bundle in a file.
struct TrustKeeper: Sendable {
    let refresher: TrustRefresher
    /// The bundle's file; `nil` where trust comes over the network.
    private let file: String?

    /// - Throws: ``CarnetService/ServiceStartError`` for a source that cannot be used.
    init(_ configuration: BrokerConfiguration) throws(ServiceStartError) {
        let clock = configuration.records.clock
        switch configuration.trust {
        case .issuer(let issuer, let base, let authorityFile, let allowsPlainHTTP):
            let expectations = Self.expectations(
                Expectations(issuer: issuer, audience: configuration.audience), configuration)
            do {
                // No key is known before the first fetch, or before what the last run kept is taken: until then every passport is refused.
                let verifier = try PassportVerifier(
                    keySet: JSONWebKeySet([:]), expectations: expectations, remembering: 4096)
                refresher = TrustRefresher(
                    verifier, from: try .issuer(at: base, allowsPlainHTTP: allowsPlainHTTP),
                    authorities: authorityFile.map { .file($0) } ?? .system, now: { clock.now })
            } catch {
                let isPlain = base.hasPrefix("http://") && !allowsPlainHTTP
                throw .unreadable(
                    "--verifier", "\(error)" + (isPlain ? ": give --verifier-plain-http" : ""))
            }
            file = nil
        case .bundle(let file, let root, let issuer):
            do {
                let bundle = try Self.bundle(file, trusting: BundleTrust(rootKey: root), at: clock.now)
                let verifier = try PassportVerifier(
                    bundle: bundle, audience: configuration.audience, issuer: issuer, remembering: 4096
                ) { $0 = Self.expectations($0, configuration) }
                refresher = TrustRefresher(
                    verifier, from: try .bundle(at: "https://bundle.invalid", trusting: bundle.trust),
                    now: { clock.now })
            } catch let error as ServiceStartError {
                throw error
            } catch {
                throw .unreadable(file, "\(error)")
            }
            self.file = file
        }
    }

    /// Tells of refreshes that fail, also of those that a machine's passport causes.
    func tell(_ logger: Logger) {
        let report = TrustReport()
        refresher.telling { [weak refresher] outcome in
            guard let refresher else { return }
            report.refreshed(outcome, outage: refresher.outage, dueAt: refresher.dueAt, logger)
        }
    }

    /// - Throws: ``Outage`` while no passport can be believed.
    func check() throws(Outage) {
        if let outage = refresher.outage { throw Outage(description: outage) }
    }

    /// Why no passport can be believed now.
    struct Outage: Error, CustomStringConvertible {
        let description: String
    }

    /// Takes what the last run fetched and kept, and keeps what this one fetches. A file that is not taken is told of, and the broker
    /// begins without. With a bundle there is nothing to do: its file is kept already.
    func keep(in kept: KeptTrustFile, _ logger: Logger) {
        guard file == nil else { return }
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

    /// What the broker demands of every passport; the policies demand the rest.
    private static func expectations(_ base: Expectations, _ configuration: BrokerConfiguration) -> Expectations {
        var expectations = base
        expectations.minimumTier = .warning
        expectations.minimumKeyProtection = .software
        expectations.revocation = .checked(maximumStaleness: configuration.maximumStatusAge, requiresStatus: true)
        return expectations
    }

    private static func bundle(_ file: String, trusting trust: BundleTrust, at now: Int64) throws -> TrustBundle {
        guard let handle = FileHandle(forReadingAtPath: file),
            let data = try handle.read(upToCount: UnverifiedBundle.maximumByteCount + 1)
        else { throw ServiceStartError.unreadable(file, "it cannot be read, or is empty") }
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        return try TrustBundle(
            parsing: Array(data.reversed().drop(while: isSpace).reversed()), trusting: trust, at: now)
    }

    /// How often a bundle's file is read again, in seconds.
    private static let interval = 30

    /// Keeps it up to date until it is cancelled. What is wrong with a new bundle is logged once; the last one stays.
    func run(_ logger: Logger, _ clock: WallClock) async {
        guard let file else { return await refresher.run() }
        var told: String?
        while !Task.isCancelled {
            do {
                if let trust = refresher.trust {
                    try refresher.take(Self.bundle(file, trusting: trust, at: clock.now))
                }
                told = nil
            } catch {
                if told != "\(error)" {
                    logger.error(
                        "the bundle is not taken", metadata: ["file": .string(file), "reason": .string("\(error)")])
                }
                told = "\(error)"
            }
            try? await Task.sleep(for: .seconds(Self.interval))
        }
    }
}

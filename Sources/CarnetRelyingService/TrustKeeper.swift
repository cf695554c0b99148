package import CarnetRelyingParty
import CarnetResult
package import CarnetService
package import CarnetTrustRefresh
import Foundation
package import Logging

/// Whom a relying service believes, kept up to date: a verifier's keys and lists over the network, or a bundle in a file.
package struct TrustKeeper: Sendable {
    /// The verifier of passports as it is now, and how old that is by which it judges.
    package let refresher: TrustRefresher
    /// The bundle's file; `nil` where trust comes over the network.
    private let file: String?
    private let now: @Sendable () -> Int64

    /// How many accepted passports are remembered unless another number is said.
    package static let usualMemory = 4096

    /// A keeper that has not asked yet.
    ///
    /// - Parameters:
    ///   - audience: The service's own name in passports' `aud`.
    ///   - memory: How many accepted passports are remembered.
    ///   - now: Seconds since 1970.
    ///   - demand: What the service demands of every passport, made of what is demanded of all.
    /// - Throws: ``CarnetService/ServiceStartError`` for a source that cannot be used.
    package init(
        _ origin: TrustOrigin, audience: String, remembering memory: Int = usualMemory,
        now: @escaping @Sendable () -> Int64, demanding demand: (Expectations) -> Expectations
    ) throws(ServiceStartError) {
        self.now = now
        switch origin {
        case .issuer(let issuer, let base, let authorityFile, let allowsPlainHTTP):
            do {
                // No key is known before the first fetch, or before what the last run kept is taken: until then every passport is refused.
                let verifier = try PassportVerifier(
                    keySet: JSONWebKeySet([:]), expectations: demand(Expectations(issuer: issuer, audience: audience)),
                    remembering: memory)
                refresher = TrustRefresher(
                    verifier, from: try .issuer(at: base, allowsPlainHTTP: allowsPlainHTTP),
                    authorities: authorityFile.map { .file($0) } ?? .system, now: now)
            } catch {
                let isPlain = base.hasPrefix("http://") && !allowsPlainHTTP
                throw .unreadable("--verifier", "\(error)" + (isPlain ? ": give --verifier-plain-http" : ""))
            }
            file = nil
        case .bundle(let file, let root, let issuer):
            do {
                let bundle = try Self.bundle(file, trusting: BundleTrust(rootKey: root), at: now())
                let verifier = try PassportVerifier(
                    bundle: bundle, audience: audience, issuer: issuer, remembering: memory
                ) { $0 = demand($0) }
                refresher = TrustRefresher(
                    verifier, from: try .bundle(at: "https://bundle.invalid", trusting: bundle.trust), now: now)
            } catch let error as ServiceStartError {
                throw error
            } catch {
                throw .unreadable(file, "\(error)")
            }
            self.file = file
        }
    }

    /// Whether trust comes in a file, which nobody needs to keep for the next start.
    package var isFromFile: Bool { file != nil }

    /// Tells the log of refreshes that fail, also of those that a passport causes.
    ///
    /// - Parameter then: Called after each refresh over the network, when what it brought counts.
    package func tell(_ logger: Logger, then: @escaping @Sendable () -> Void = {}) {
        let report = TrustReport()
        refresher.telling { [weak refresher] outcome in
            guard let refresher else { return }
            report.refreshed(outcome, outage: refresher.outage, dueAt: refresher.dueAt, logger)
            then()
        }
    }

    /// - Throws: ``Outage`` while no passport can be believed.
    package func check() throws(Outage) {
        if let outage = refresher.outage { throw Outage(description: outage) }
    }

    /// Why no passport can be believed now.
    package struct Outage: Error, CustomStringConvertible {
        package let description: String
    }

    private static func bundle(_ file: String, trusting trust: BundleTrust, at now: Int64) throws -> TrustBundle {
        guard let handle = FileHandle(forReadingAtPath: file),
            let data = try handle.read(upToCount: UnverifiedBundle.maximumByteCount + 1)
        else { throw ServiceStartError.unreadable(file, "it cannot be read, or is empty") }
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        return try TrustBundle(
            parsing: Array(data.reversed().drop(while: isSpace).reversed()), trusting: trust, at: now)
    }

    /// Keeps it up to date until it is cancelled. What is wrong with a new bundle is logged once; the last one stays.
    ///
    /// - Parameters:
    ///   - interval: How often a bundle's file is read again.
    ///   - then: Called after each look at it.
    package func run(
        _ logger: Logger, every interval: Duration = .seconds(30), then: @Sendable () -> Void = {}
    ) async {
        guard let file else { return await refresher.run() }
        var told: String?
        while !Task.isCancelled {
            do {
                if let trust = refresher.trust {
                    try refresher.take(Self.bundle(file, trusting: trust, at: now()))
                }
                told = nil
            } catch {
                if told != "\(error)" {
                    logger.error(
                        "the bundle is not taken", metadata: ["file": .string(file), "reason": .string("\(error)")])
                }
                told = "\(error)"
            }
            then()
            try? await Task.sleep(for: interval)
        }
    }
}

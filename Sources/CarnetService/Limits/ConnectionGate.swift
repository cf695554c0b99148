import NIOCore
import Synchronization

/// Lets connections in, closes those that make room, and counts.
final class ConnectionGate: Sendable {
    private let connections: Mutex<OpenConnections<any Channel>>
    private let proxies: TrustedProxies
    private let metrics: RequestMetrics?

    init(_ limits: ServiceLimits, metrics: RequestMetrics?) {
        connections = Mutex(
            OpenConnections(
                maximumCount: limits.connectionCount, maximumCountPerClient: limits.connectionCountPerClient))
        proxies = TrustedProxies(limits.trustedProxies)
        self.metrics = metrics
    }

    /// Lets a connection in, or closes it.
    ///
    /// - Returns: Its number; `nil` when it was closed.
    func open(_ channel: any Channel) -> UInt64? {
        let address = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
        let isProxy = address.map { proxies.contains($0) } ?? false
        switch connections.withLock({ $0.open(channel, of: isProxy ? nil : RateKey(address)) }) {
        case .refused(let reason):
            metrics?.refused(reason)
            channel.close(promise: nil)
            return nil
        case .taken(let number, let displaced):
            if let displaced {
                metrics?.refused(.displaced)
                displaced.close(promise: nil)
            }
            metrics?.connections(+1)
            return number
        }
    }

    /// A connection waits for its client from now on.
    func wait(_ number: UInt64) { connections.withLock { $0.wait(number) } }
    /// A connection's client waits for us.
    func work(_ number: UInt64) { connections.withLock { $0.work(number) } }

    /// A connection is closed.
    func close(_ number: UInt64) {
        connections.withLock { $0.close(number) }
        metrics?.connections(-1)
    }

    /// A connection was cut off for being slow.
    func cutOff(_ reason: Refusal) { metrics?.refused(reason) }
}

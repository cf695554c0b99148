import NIOCore
import Synchronization

/// Lets connections in, closes those that make room, and counts.
final class ConnectionGate: Sendable {
    private let connections: Mutex<OpenConnections<any Channel>>
    private let proxies: TrustedProxies
    private let metrics: RequestMetrics?
    /// Whether connections begin with a proxy's header.
    let expectsHeader: Bool
    /// Whose the connections are whose header named somebody.
    private let clients = Mutex<[ObjectIdentifier: IPAddress]>([:])

    init(_ limits: ServiceLimits, metrics: RequestMetrics?) {
        connections = Mutex(
            OpenConnections(
                maximumCount: limits.connectionCount, maximumCountPerClient: limits.connectionCountPerClient))
        proxies = TrustedProxies(limits.trustedProxies)
        expectsHeader = limits.proxyProtocol
        self.metrics = metrics
    }

    /// Lets a connection in, or closes it.
    ///
    /// - Returns: Its number; `nil` when it was closed.
    func open(_ channel: any Channel) -> UInt64? {
        let address = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
        let isProxy = address.map { proxies.contains($0) } ?? false
        guard isProxy || !expectsHeader else {
            metrics?.refused(.proxyHeader)
            channel.close(promise: nil)
            return nil
        }
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

    /// A proxy's header says whose a connection is: it counts as that client's from now on.
    ///
    /// - Returns: Why it cannot stay; `nil` when it can.
    func identify(_ number: UInt64, _ channel: any Channel, as client: IPAddress) -> Refusal? {
        if !proxies.contains(client) {
            switch connections.withLock({ $0.identify(number, as: RateKey(client)) }) {
            case .refused(let reason): return reason
            case .taken(_, let displaced):
                if let displaced {
                    metrics?.refused(.displaced)
                    displaced.close(promise: nil)
                }
            }
        }
        clients.withLock { $0[ObjectIdentifier(channel)] = client }
        return nil
    }

    /// Whose a connection is, as the proxy's header said; `nil` where none did.
    func client(of channel: any Channel) -> IPAddress? {
        expectsHeader ? clients.withLock { $0[ObjectIdentifier(channel)] } : nil
    }

    /// A connection waits for its client from now on.
    func wait(_ number: UInt64) { connections.withLock { $0.wait(number) } }
    /// A connection's client waits for us.
    func work(_ number: UInt64) { connections.withLock { $0.work(number) } }

    /// A connection is closed.
    func close(_ number: UInt64, _ channel: any Channel) {
        connections.withLock { $0.close(number) }
        if expectsHeader { clients.withLock { $0[ObjectIdentifier(channel)] = nil } }
        metrics?.connections(-1)
    }

    /// A connection was cut off for being slow.
    func cutOff(_ reason: Refusal) { metrics?.refused(reason) }
}

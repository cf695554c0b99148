import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// What Hummingbird carries along with a request to a double.
struct ClusterContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection, for what its client showed, and to close it.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        coreContext = .init(source: source)
    }
}

/// The connections on which requests came, so that they can be cut off.
final class OpenChannels: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    func note(_ channel: any Channel) {
        let identifier = ObjectIdentifier(channel)
        guard channels.withLock({ $0.updateValue(channel, forKey: identifier) }) == nil else { return }
        channel.closeFuture.whenComplete { _ in _ = self.channels.withLock { $0.removeValue(forKey: identifier) } }
    }

    func closeAll() {
        for channel in channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }
}

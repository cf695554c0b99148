import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// What Hummingbird carries along with a request.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The request's identifier. It is random, so that it tells nothing about other requests.
    let requestID: String
    /// The address of whoever holds the other end of the connection, without its port.
    let peer: String
    /// The connection, for what its TLS client showed.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        peer = source.channel.remoteAddress?.ipAddress ?? "local"
        requestID = RequestIdentifier.make()
        coreContext = .init(source: source)
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request"] = .string(requestID)
    }
}

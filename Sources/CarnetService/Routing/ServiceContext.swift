import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// What Hummingbird carries along with a request.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The request's identifier. It is random, so that it tells nothing about other requests.
    let requestID: String
    /// The connection, for what its TLS client showed.
    let channel: any Channel
    /// Who sent the request: whoever holds the other end of the connection, or whom a trusted proxy names. `nil` where there are no
    /// addresses.
    var client: IPAddress?

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        client = source.channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
        requestID = RequestIdentifier.make()
        coreContext = .init(source: source)
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request"] = .string(requestID)
    }
}

import Hummingbird
import Logging

/// What Hummingbird carries along with a request.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The request's identifier. It is random, so that it tells nothing about other requests.
    let requestID: String

    init(source: ApplicationRequestContextSource) {
        requestID = RequestIdentifier.make()
        coreContext = .init(source: source)
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request"] = .string(requestID)
    }
}

/// For which limit somebody was refused or cut off, as metrics and the log spell it.
public enum Refusal: String, Sendable, Hashable, CaseIterable {
    /// One address asks too often.
    case clientRate = "client-rate"
    /// One API token asks too often.
    case tokenRate = "token-rate"
    /// One machine attests too often.
    case nodeRate = "node-rate"
    /// As many wait for work as may wait, or one client has its share of the places.
    case queueFull = "queue-full"
    /// A place in the queue did not come in time.
    case queueWait = "queue-wait"
    /// Bodies in memory have no more room.
    case bodyBudget = "body-budget"
    /// The head of a request did not come in time.
    case slowHead = "slow-head"
    /// The body of a request did not come in time, or too slowly.
    case slowBody = "slow-body"
    /// An answer was not read in time.
    case slowReader = "slow-reader"
    /// One client has as many connections as it may have, none of which waits for it.
    case clientConnections = "client-connections"
    /// All connections are taken, and none of them waits for its client.
    case connections
    /// A connection did not begin with a proxy's header although it had to, or came from elsewhere than a proxy.
    case proxyHeader = "proxy-header"
    /// The connection that had waited longest for its client was closed for a new one.
    case displaced
}

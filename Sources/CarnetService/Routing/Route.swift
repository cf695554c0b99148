public import HTTPTypes

/// One call that a service answers.
public struct Route: Sendable {
    /// What a route does with a request that was let in. A ``Problem`` it throws is the answer.
    public typealias Handler = @Sendable (ServiceRequest) async throws -> ServiceResponse

    /// The method. A route for GET answers HEAD too.
    public let method: HTTPRequest.Method
    /// The path, with `{name}` for a part that varies.
    public let path: String
    /// Who may call it. `nil` means that nobody decided, and stops the service from starting.
    public let access: AccessClass?
    /// The media types of the body that it reads; empty for a call without one.
    public let accepts: [String]
    /// The longest body that it reads, in bytes.
    public let maximumBodyByteCount: Int
    /// Looks at the varying parts of the path before a byte of the body is read: what it throws is the answer.
    public typealias PathCheck = @Sendable (_ parameters: [String: String]) throws -> Void
    let admitsPath: PathCheck
    /// Looks at them again when the body is larger than an ordinary one, before the rest of it is read: this may ask the database.
    public typealias LargeBodyCheck = @Sendable (_ parameters: [String: String]) async throws -> Void
    private(set) var admitsLargeBody: LargeBodyCheck?
    let handler: Handler
    /// The queue in front of its work; `nil` when it has none.
    private(set) var queue: WorkQueue?
    /// How a problem is told to the clients of another protocol, which has words of its own for it.
    public typealias Wording = @Sendable (_ problem: Problem) -> ServiceResponse
    private(set) var wording: Wording?
    /// Below which path the words are also for what is no route at all: `/protocol/v1`, without a slash at the end.
    private(set) var wordingBase: String?
    /// Whether it is answered however often somebody asks.
    private(set) var isAlwaysServed = false

    /// A call without a body.
    public init(
        _ method: HTTPRequest.Method, _ path: String, access: AccessClass? = nil, handler: @escaping Handler
    ) {
        self.init(method, path, access: access, accepts: [], upTo: 0, handler: handler)
    }

    /// A call with a body.
    public init(
        _ method: HTTPRequest.Method, _ path: String, access: AccessClass? = nil, accepts: [String],
        upTo maximumBodyByteCount: Int, admitting admitsPath: @escaping PathCheck = { _ in }, handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.accepts = accepts
        self.maximumBodyByteCount = maximumBodyByteCount
        self.admitsPath = admitsPath
        self.handler = handler
    }

    /// The same, with its work behind a queue.
    public func queued(in queue: WorkQueue) -> Route {
        var route = self
        route.queue = queue
        return route
    }

    /// The same, with other words for every problem at its path, also for those that are met before the route's own work begins. The log
    /// tells of the problem as of any.
    ///
    /// - Parameter base: Where the protocol's paths begin, without a slash at the end: what is asked for there and is no route is told in
    ///   these words too. Of the routes that name a base the first one's words are taken.
    public func worded(below base: String? = nil, _ wording: @escaping Wording) -> Route {
        var route = self
        route.wording = wording
        route.wordingBase = base
        return route
    }

    /// The same, with a check before more of a body is read than an ordinary one has.
    public func admittingLargeBodies(_ check: @escaping LargeBodyCheck) -> Route {
        var route = self
        route.admitsLargeBody = check
        return route
    }

    /// The same, answered however often somebody asks: health and metrics.
    func alwaysServed() -> Route {
        var route = self
        route.isAlwaysServed = true
        return route
    }
}

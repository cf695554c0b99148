extension ServiceStartError: ProblemConvertible {
    /// 503: what would keep a service from starting keeps it from this too, until somebody mends it. The sentence for the operator is in the
    /// log.
    public var problem: Problem {
        .unavailable(
            "The service cannot use a file or key of its own. Its operator finds the reason in its log.",
            retryAfter: 60, cause: description)
    }
}

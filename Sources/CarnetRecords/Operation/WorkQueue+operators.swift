package import CarnetService

extension WorkQueue.Size {
    /// The desk of the operators: lists, exports, kept evidence, reference sets, rehearsals and reappraisals. A few at once, so that no API
    /// token takes the verifier's memory or processors; one token half of them, so that none shuts out the others. Evidence and enrolments
    /// have a queue of their own, which nothing here can fill.
    package static let operators = WorkQueue.Size(running: 4, waiting: 32, seconds: 10, runningPerClient: 2)
}

internal import Dispatch

/// Runs an actor's jobs one after another on a queue of its own, so that a call that blocks holds up nobody else.
///
/// `DispatchSerialQueue`, which is an executor by itself, does not exist on Linux.
final class SerialQueueExecutor: SerialExecutor {
    private let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}

import NIOCore

/// A clock that only goes forward, in nanoseconds from some moment: nobody's bucket fills because the time was set.
public struct RateClock: Sendable {
    private let read: @Sendable () -> Int64

    /// A clock that answers with what `read` says.
    public init(_ read: @escaping @Sendable () -> Int64) { self.read = read }

    /// The system's.
    public static let system = RateClock { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

    var now: Int64 { read() }
}

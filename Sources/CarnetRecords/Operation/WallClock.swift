import Foundation

/// The time, as an argument: in seconds since 1970-01-01T00:00:00Z.
package struct WallClock: Sendable {
    private let read: @Sendable () -> Int64

    /// A clock that answers with what `read` says.
    package init(_ read: @escaping @Sendable () -> Int64) { self.read = read }

    /// The system's clock.
    package static let system = WallClock { Int64(Date.now.timeIntervalSince1970) }

    /// The time now.
    package var now: Int64 { read() }
}

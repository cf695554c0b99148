internal import Foundation

/// Numbers of users and groups by name.
public struct Accounts: Sendable {
    /// A user's number; `nil` for a name that nobody has.
    public let user: @Sendable (String) -> UInt32?
    /// A group's number; `nil` for a name that none has.
    public let group: @Sendable (String) -> UInt32?

    /// Accounts.
    public init(user: @escaping @Sendable (String) -> UInt32?, group: @escaping @Sendable (String) -> UInt32?) {
        self.user = user
        self.group = group
    }

    /// Those of the machine (`getpwnam`, `getgrnam`).
    public static let system = Accounts(
        user: { name in
            var entry = passwd(), found: UnsafeMutablePointer<passwd>?
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1 << 16) { buffer in
                guard let start = buffer.baseAddress,
                    getpwnam_r(name, &entry, start, buffer.count, &found) == 0, found != nil
                else { return nil }
                return entry.pw_uid
            }
        },
        group: { name in
            var entry = Foundation.group(), found: UnsafeMutablePointer<Foundation.group>?
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1 << 16) { buffer in
                guard let start = buffer.baseAddress,
                    getgrnam_r(name, &entry, start, buffer.count, &found) == 0, found != nil
                else { return nil }
                return entry.gr_gid
            }
        })
}

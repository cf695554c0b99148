import NIOCore

/// The process at the other end of a socket of Unix, as the kernel noted it when it connected (`SO_PEERCRED`, `SO_PEERGROUPS`; unix(7)).
public struct LocalPeer: Sendable, Hashable {
    /// The process. It may have ended since, and another have its number.
    public let process: Int32
    /// Its effective user.
    public let user: UInt32
    /// Its effective group.
    public let group: UInt32
    /// Its further groups, as far as they are known: at most 256 of them, and never group 0.
    public let groups: Set<UInt32>

    /// A peer. Only tests have reason to make one.
    public init(process: Int32, user: UInt32, group: UInt32, groups: Set<UInt32> = []) {
        self.process = process
        self.user = user
        self.group = group
        self.groups = groups
    }

    /// `struct ucred`.
    private struct Credentials: Sendable {
        let process: Int32
        let user: UInt32
        let group: UInt32
    }

    /// Room for 256 groups. NIO gives room of zeros and does not say how much the kernel wrote, so that a zero is no group.
    private struct Groups: Sendable {
        let first: SIMD64<UInt32>
        let second: SIMD64<UInt32>
        let third: SIMD64<UInt32>
        let fourth: SIMD64<UInt32>

        var all: Set<UInt32> {
            var all: Set<UInt32> = []
            for part in [first, second, third, fourth] {
                for index in part.indices where part[index] != 0 { all.insert(part[index]) }
            }
            return all
        }
    }

    /// `SO_PEERCRED` and `SO_PEERGROUPS`, as `asm-generic/socket.h` has them.
    private static let peerCredentials = SocketOptionName(17), peerGroups = SocketOptionName(59)
    /// `SOL_SOCKET`.
    private static let level = SocketOptionLevel(1)

    /// Who is at the other end; `nil` where it is no socket of Unix, or the kernel does not tell.
    static func of(_ channel: any Channel) async -> LocalPeer? {
        guard let path = channel.localAddress, path.protocol == .unix,
            let provider = channel as? any SocketOptionProvider
        else { return nil }
        let future: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(level: level, name: peerCredentials)
        guard let credentials = try? await future.get() else { return nil }
        // More groups than there is room for are an error, and then none is known.
        let further: EventLoopFuture<Groups> = provider.unsafeGetSocketOption(level: level, name: peerGroups)
        let groups = try? await further.get()
        return LocalPeer(
            process: credentials.process, user: credentials.user, group: credentials.group, groups: groups?.all ?? [])
    }
}

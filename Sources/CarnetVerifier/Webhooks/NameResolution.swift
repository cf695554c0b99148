import CarnetService
import Foundation

/// Asks the system which addresses a name has.
enum NameResolution {
    /// Why there are none.
    struct Failure: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    /// The addresses of a name, as `getaddrinfo` gives them, at most 32. It waits on a thread of its own, as long as the system does.
    static func addresses(of host: String) async throws -> [IPAddress] {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try resolve(host) }) }
        }
    }

    private static func resolve(_ host: String) throws -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &first)
        guard status == 0 else {
            throw Failure(description: "\(host) has no address: \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(first) }
        var addresses: [IPAddress] = []
        var next = first
        while let entry = next, addresses.count < 32 {
            next = entry.pointee.ai_next
            guard let pointer = entry.pointee.ai_addr else { continue }
            let all = Array(UnsafeRawBufferPointer(start: pointer, count: Int(entry.pointee.ai_addrlen)))
            // sockaddr_in has the address after family and port, sockaddr_in6 after the flow, too.
            let bytes: ArraySlice<UInt8> =
                switch entry.pointee.ai_family {
                case AF_INET: all.dropFirst(4).prefix(4)
                case AF_INET6: all.dropFirst(8).prefix(16)
                default: []
                }
            if let address = IPAddress(bytes: bytes), !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }
}

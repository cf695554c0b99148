@testable import CarnetService
import Testing

/// Connections that can be opened inside of an expectation.
private final class Connections {
    private var connections: OpenConnections<String>

    init(maximumCount: Int, maximumCountPerClient: Int) {
        connections = OpenConnections(maximumCount: maximumCount, maximumCountPerClient: maximumCountPerClient)
    }

    var count: Int { connections.count }
    func open(_ name: String, of client: RateKey?) -> OpenConnections<String>.Opening {
        connections.open(name, of: client)
    }
    func work(_ number: UInt64) { connections.work(number) }
    func wait(_ number: UInt64) { connections.wait(number) }
    func close(_ number: UInt64) { connections.close(number) }
}

@Suite struct OpenConnectionsTests {
    private static func client(_ number: Int) -> RateKey { RateKey(kind: 9, [UInt8(number)]) }

    private func open(
        _ connections: Connections, _ name: String, _ client: Int?
    ) -> (number: UInt64?, displaced: String?, refusal: Refusal?) {
        switch connections.open(name, of: client.map(Self.client)) {
        case .taken(let number, let displaced): (number, displaced, nil)
        case .refused(let reason): (nil, nil, reason)
        }
    }

    @Test("A client with all its connections loses the one that waited longest for it") func perClient() throws {
        let connections = Connections(maximumCount: 100, maximumCountPerClient: 2)
        let first = try #require(open(connections, "a", 1).number)
        #expect(open(connections, "b", 1).displaced == nil && open(connections, "c", 2).displaced == nil)
        // The first was used since, so the second has waited longest.
        connections.work(first)
        connections.wait(first)
        #expect(open(connections, "d", 1).displaced == "b" && connections.count == 3)
        #expect(open(connections, "e", 1).displaced == "a")
    }

    @Test("Whose connections all work for it gets no more; another client does") func busy() throws {
        let connections = Connections(maximumCount: 100, maximumCountPerClient: 2)
        for name in ["a", "b"] { connections.work(try #require(open(connections, name, 1).number)) }
        #expect(open(connections, "c", 1).refusal == .clientConnections && connections.count == 2)
        #expect(open(connections, "c", 2).number != nil)
    }

    @Test("When all are taken the one that waited longest of all makes room, and none that works") func all() throws {
        let connections = Connections(maximumCount: 3, maximumCountPerClient: 3)
        connections.work(try #require(open(connections, "works", 1).number))
        let second = try #require(open(connections, "b", 2).number)
        let third = try #require(open(connections, "c", 3).number)
        #expect(open(connections, "d", 4).displaced == "b")
        connections.close(second)
        connections.work(third)
        let fifth = open(connections, "e", 5)
        #expect(fifth.displaced == "d")
        connections.work(try #require(fifth.number))
        #expect(open(connections, "f", 6).refusal == .connections)
        connections.close(third)
        #expect(open(connections, "f", 6).number != nil && connections.count == 3)
    }

    @Test("A trusted proxy has no limit of its own; those of its connections that wait make room like any other")
    func proxy() throws {
        let connections = Connections(maximumCount: 4, maximumCountPerClient: 1)
        let numbers = try ["a", "b", "c", "d"].map { try #require(open(connections, $0, nil).number) }
        for number in numbers.dropFirst(2) { connections.work(number) }
        // Else one client of the proxy could hold all of them, and not even the health of the service could be asked for.
        #expect(open(connections, "e", 1).displaced == "a")
        let last = open(connections, "f", nil)
        #expect(last.displaced == "b")
        connections.work(try #require(last.number))
        #expect(open(connections, "g", 2).displaced == "e")
    }

    @Test("Whatever comes and goes, nothing is left") func noRemains() {
        let connections = Connections(maximumCount: 50, maximumCountPerClient: 10)
        var open: [UInt64] = []
        var random = SystemRandomNumberGenerator()
        for step in 0..<20_000 {
            if step % 3 != 0, case .taken(let number, _) = connections.open("x", of: Self.client(step % 9)) {
                open.append(number)
            }
            if let number = open.randomElement(using: &random) {
                switch step % 4 {
                case 0: connections.work(number)
                case 1: connections.wait(number)
                default: connections.close(number)
                }
            }
            #expect(connections.count <= 50)
        }
        for number in open { connections.close(number) }
        #expect(connections.count == 0)
        for number in 0..<50 {
            guard case .taken(_, displacing: nil) = connections.open("x", of: Self.client(number)) else {
                Issue.record("there was no room")
                return
            }
        }
    }
}

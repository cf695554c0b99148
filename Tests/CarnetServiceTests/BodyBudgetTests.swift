@testable import CarnetService
import Testing

/// Of 6400 bytes 1600 are the reserve, from which a client gets 100; a stranger has 400 of all, and strangers together 3200 of the others.
@Suite struct BodyBudgetTests {
    private static let ordinary = 50

    private func stranger(_ number: Int) -> BodyBudget.Taker {
        .init(client: RateKey(kind: 9, [UInt8(number)]), isKnown: false)
    }

    private func known(_ number: Int) -> BodyBudget.Taker {
        .init(client: RateKey(kind: 10, [UInt8(number)]), isKnown: true)
    }

    /// A body of so many bytes, as they come; `nil` when there was no room for one of them.
    private func body(
        _ count: Int, by taker: BodyBudget.Taker, in budget: BodyBudget, pieces: Int = 10
    ) -> BodyBudget.Taken? {
        var taken = BodyBudget.Taken()
        while taken.count < count {
            guard budget.take(min(pieces, count - taken.count), by: taker, &taken) else {
                budget.giveBack(taken, by: taker)
                return nil
            }
        }
        return taken
    }

    @Test("Whoever fills the rest with large bodies, ordinary ones are read") func reserve() {
        let budget = BodyBudget(6400, ordinaryByteCount: Self.ordinary)
        var large: [BodyBudget.Taken] = []
        for number in 1...4 {
            if let taken = body(900, by: stranger(number), in: budget) { large.append(taken) }
        }
        #expect(large.count == 3)
        for number in 11...26 {
            #expect(body(Self.ordinary, by: stranger(number), in: budget) != nil, "\(number)")
            #expect(body(Self.ordinary, by: stranger(number), in: budget) != nil, "\(number)")
        }
    }

    @Test("A client has a sixteenth, and one body beside it that may be larger", arguments: [1, 7, 200])
    func share(pieces: Int) {
        let budget = BodyBudget(6400, ordinaryByteCount: Self.ordinary)
        for _ in 0..<7 { #expect(body(Self.ordinary, by: stranger(1), in: budget, pieces: pieces) != nil) }
        let oversized = body(2000, by: stranger(1), in: budget, pieces: pieces)
        #expect(oversized != nil)
        #expect(body(2000, by: stranger(1), in: budget, pieces: pieces) == nil)
        #expect(body(Self.ordinary, by: stranger(2), in: budget, pieces: pieces) != nil)
        // When it is gone, another may come.
        if let oversized { budget.giveBack(oversized, by: stranger(1)) }
        #expect(body(2000, by: stranger(1), in: budget, pieces: pieces) != nil)
        // Ordinary ones end with the share.
        #expect(body(Self.ordinary, by: stranger(1), in: budget, pieces: pieces) != nil)
        #expect(body(1, by: stranger(1), in: budget, pieces: pieces) == nil)
    }

    @Test("Strangers never take what is for those with a credential, and of these none takes all") func operators() {
        let budget = BodyBudget(6400, ordinaryByteCount: Self.ordinary)
        for number in 1...40 { _ = body(3000, by: stranger(number), in: budget) }
        for number in 1...40 { for _ in 0..<8 { _ = body(Self.ordinary, by: stranger(number), in: budget) } }
        #expect(body(1600, by: known(1), in: budget) != nil)
        let empty = BodyBudget(6400, ordinaryByteCount: Self.ordinary)
        var count = 0
        while body(Self.ordinary, by: known(1), in: empty) != nil { count += 1 }
        #expect(count == 1600 / Self.ordinary)
        #expect(body(1600, by: known(2), in: empty) != nil)
    }

    @Test("Everything comes back, and nobody is remembered") func back() {
        let budget = BodyBudget(6400, ordinaryByteCount: Self.ordinary)
        for _ in 0..<3 {
            var all: [(BodyBudget.Taker, BodyBudget.Taken)] = []
            for number in 1...30 {
                for taker in [stranger(number), known(number)] {
                    for count in [1, 50, 51, 300, 1000] {
                        if let taken = body(count, by: taker, in: budget) { all.append((taker, taken)) }
                    }
                }
            }
            #expect(all.count > 30 && budget.clientCount > 0)
            for (taker, taken) in all.shuffled() { budget.giveBack(taken, by: taker) }
            #expect(budget.clientCount == 0)
        }
        #expect(body(3200, by: stranger(1), in: budget) != nil && body(1600, by: known(1), in: budget) != nil)
    }
}

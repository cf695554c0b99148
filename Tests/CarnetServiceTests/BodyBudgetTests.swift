@testable import CarnetService
import Testing

@Suite struct BodyBudgetTests {
    private let known = BodyBudget.Taker(peer: RateKey(IPAddress("10.0.0.1")), isKnown: true)

    private func peer(_ number: Int) -> BodyBudget.Taker {
        .init(peer: RateKey(IPAddress("10.0.0.\(number)")), isKnown: false)
    }

    @Test("One peer takes a quarter at most, all without a credential three, and those with one the whole")
    func shares() {
        let budget = BodyBudget(100)
        #expect(budget.take(25, by: peer(1)) && !budget.take(1, by: peer(1)))
        #expect(budget.take(25, by: peer(2)) && budget.take(25, by: peer(3)) && !budget.take(1, by: peer(4)))
        #expect(budget.take(25, by: known) && !budget.take(1, by: known))
        budget.giveBack(25, by: peer(1))
        #expect(budget.take(25, by: peer(1)) && !budget.take(1, by: peer(4)))
        for number in 1...3 { budget.giveBack(25, by: peer(number)) }
        #expect(budget.take(75, by: known) && !budget.take(1, by: peer(1)))
        budget.giveBack(100, by: known)
        #expect(budget.take(100, by: known))
    }
}

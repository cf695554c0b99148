@testable import CarnetService
import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(2))) struct LargeBodyTurnsTests {
    private static func until(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test("So many bytes at once, in order; what is larger than all goes alone and is not passed by") func order()
        async throws
    {
        let turns = LargeBodyTurns(100, patience: .seconds(60))
        let first = try await turns.turn(60)
        let second = Task { try await turns.turn(1000) }
        try await Self.until { turns.counts.waiting == 1 }
        // There would be room for it, but it came later.
        let third = Task { try await turns.turn(10) }
        try await Self.until { turns.counts.waiting == 2 }
        first.giveBack()
        let alone = try await second.value
        #expect(turns.counts == (100, 1))
        alone.giveBack()
        let last = try await third.value
        #expect(turns.counts == (10, 0))
        last.giveBack()
        last.giveBack()
        #expect(turns.counts == (0, 0))
    }

    @Test("Whose turn does not come in time, or who goes away, is told so and lets the next go on") func patience()
        async throws
    {
        let turns = LargeBodyTurns(100, patience: .milliseconds(100))
        let first = try await turns.turn(60)
        let late = await #expect(throws: Problem.self) { _ = try await turns.turn(100) }
        #expect(late?.status == .serviceUnavailable && late?.cause == "queue-wait")
        let patient = LargeBodyTurns(100, patience: .seconds(60))
        let held = try await patient.turn(60)
        let gone = Task { try await patient.turn(100) }
        try await Self.until { patient.counts.waiting == 1 }
        let next = Task { try await patient.turn(40) }
        try await Self.until { patient.counts.waiting == 2 }
        gone.cancel()
        await #expect(throws: CancellationError.self) { _ = try await gone.value }
        _ = try await next.value
        withExtendedLifetime((first, held)) {}
    }

    @Test("A turn that is let go of is given back") func forgotten() async throws {
        let turns = LargeBodyTurns(10, patience: .seconds(60))
        for _ in 0..<100 { _ = try await turns.turn(10) }
        #expect(turns.counts == (0, 0))
    }
}

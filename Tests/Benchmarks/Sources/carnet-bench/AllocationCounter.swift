import CAllocations

/// Counts the blocks that one operation asks of `malloc`, `calloc`, `realloc` and their aligned kin, on this thread.
enum AllocationCounter {
    /// Allocations per operation, rounded, over a thousand after a hundred that warm up.
    static func count(_ operation: () -> Void) -> Int {
        for _ in 0..<100 { operation() }
        let before = carnet_allocations()
        for _ in 0..<1000 { operation() }
        return Int(carnet_allocations() - before + 500) / 1000
    }
}

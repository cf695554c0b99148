import StrictEncoding
import Testing

@Suite struct RFC3339Tests {
    @Test(
        "Times are written in UTC, with leap days where they belong",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_795_235_460, "2026-11-21T04:31:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"), (.max, "9999-12-31T23:59:59Z"),
            (-62_135_596_800, "0001-01-01T00:00:00Z"), (.min, "0001-01-01T00:00:00Z"),
        ])
    func format(_ seconds: Int64, _ text: String) { #expect(RFC3339.format(seconds) == text) }
}

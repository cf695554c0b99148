import Foundation
import StrictEncoding
import CarnetAppraisal
import Testing

@Suite("Windows of reference values")
struct ReferenceWindowTests {
    @Test("A window has its first second and not its last")
    func edges() throws {
        let component = try Sample.component(from: "2026-12-01T00:00:00Z", until: "2027-01-01T00:00:00Z")
        let from = try Sample.time("2026-12-01T00:00:00Z"),
            until = try Sample.time("2027-01-01T00:00:00Z")
        #expect(from == 1_796_083_200 && until - from == 31 * 86400)
        #expect(!component.window.contains(from - 1) && component.window.contains(from))
        #expect(component.window.contains(until - 1) && !component.window.contains(until))
    }

    @Test("A window may be open on either side")
    func open() throws {
        let late = try Sample.component(from: "2026-12-01T00:00:00Z"),
            early = try Sample.component(until: "2026-12-01T00:00:00Z")
        for seconds in [Int64.min, 0, 1_796_083_199] {
            #expect(!late.window.contains(seconds) && early.window.contains(seconds))
        }
        for seconds in [1_796_083_200, Int64.max] {
            #expect(late.window.contains(seconds) && !early.window.contains(seconds))
        }
        #expect(try Sample.component().window.contains(.min) && Sample.component().window.contains(.max))
        let time = try Sample.time("2026-12-01T00:00:00Z")
        #expect(ValidityWindow(from: time, until: time) == nil)
    }

    @Test("Times are what Foundation says, of every day")
    func calendar() throws {
        let style = Date.ISO8601FormatStyle()
        for day in stride(from: 0, to: 2_932_896, by: 13) {
            let seconds = Int64(day) * 86400 + Int64(day % 86400)
            let text = Date(timeIntervalSince1970: Double(seconds)).formatted(style)
            #expect(RFC3339.parse(text) == seconds, "\(text)")
        }
    }

    @Test(
        "A time has one spelling",
        arguments: [
            "", "2026-12-01", "2026-12-01T00:00:00", "2026-12-01t00:00:00Z", "2026-12-01T00:00:00z",
            "2026-12-01 00:00:00Z", "2026-12-01T00:00:00+00:00", "2026-12-01T00:00:00.0Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-12-00T00:00:00Z", "2026-11-31T00:00:00Z", "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z", "2026-12-01T24:00:00Z", "2026-12-01T00:60:00Z", "2026-12-31T23:59:60Z",
            "1969-12-31T23:59:59Z", "+026-12-01T00:00:00Z", "٢٠٢٦-12-01T00:00:00Z", "2026-12-01T00:00:00Z\n",
        ])
    func spelling(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }

    @Test("Leap days are days", arguments: ["2000-02-29T00:00:00Z", "2028-02-29T23:59:59Z", "9999-12-31T23:59:59Z"])
    func leap(text: String) { #expect(RFC3339.parse(text).map(RFC3339.format) == text) }
}

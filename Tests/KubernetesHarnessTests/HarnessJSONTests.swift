import KubernetesHarness
import Testing

/// The values that tests of the gate compare.
@Suite("JSON values of the tests") struct HarnessJSONTests {
    @Test("A member that is null is there, and one that is absent is not: nil means the second alone")
    func absence() throws {
        let object = try HarnessJSON(parsing: Array(#"{"null":null,"text":"a"}"#.utf8))
        #expect(object["null"] != nil && object["null"]?.isNull == true)
        #expect(object["absent"] == nil && object["absent"]?.isNull == nil)
        #expect(object["text"]?["absent"] == nil && object["null"]?["absent"] == nil)
        // This would read nil as JSON's null, and compare with that.
        #expect(!(HarnessJSON.self is any ExpressibleByNilLiteral.Type))
    }
}

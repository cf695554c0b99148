import CarnetService
import HTTPTypes
import ServiceHarness
import Testing

/// Which of two kinds of answer a request gets.
@Suite struct NegotiationTests {
    private static let session = "application/vnd.example.session+json"
    private static let result = #"application/eat+jwt; eat_profile="tag:ietf.org,2026:rats/ear#04""#

    /// `Accept` fields, and the kind of the answer; `nil` for 406.
    static let table: [(fields: [String], answer: String?)] = [
        ([], session), ([""], session), (["*/*"], session), (["application/*"], session), ([session], session),
        (["application/eat+jwt"], result), ([result], result), (["APPLICATION/EAT+JWT"], result),
        (["application/eat+jwt, */*;q=0.1"], result), (["*/*;q=0.1", "application/eat+jwt"], result),
        (["application/eat+jwt;q=0.5, \(session);q=0.4"], result),
        (["application/eat+jwt;q=0.4, \(session);q=0.5"], session),
        (["application/eat+jwt;q=0.5, \(session);q=0.5"], session),
        // The closest range counts, not the first or the best.
        (["*/*, \(session);q=0"], result), (["\(session);q=0.1, application/*"], result),
        (["\(result);q=0, application/eat+jwt"], nil), (["\(result);q=0, application/eat+jwt, */*;q=0.2"], session),
        // Parameters that the answer has, in any case and with a comma inside; those that it has not.
        ([#"application/eat+jwt;EAT_Profile="TAG:ietf.org,2026:rats/EAR#04""#], result),
        ([#"application/eat+jwt; eat_profile="tag:ietf.org,2026:rats/ea\r#04""#], result),
        ([#"application/eat+jwt; eat_profile="tag:github.com,2023:veraison/ear""#], nil),
        (["application/eat+jwt; typ=x"], nil), (["\(session); charset=utf-8"], session),
        // Weights.
        (["application/eat+jwt;q=1.000"], result), (["application/eat+jwt;q=0.001"], result),
        (["application/eat+jwt; Q=1 ; ext=1"], result), (["application/eat+jwt;q=0"], nil),
        (["application/eat+jwt;q=0.000"], nil), (["application/eat+jwt;q=0."], nil),
        // What cannot be read asks for nothing.
        (["application/eat+jwt;q=1.001"], nil), (["application/eat+jwt;q=2"], nil), (["application/eat+jwt;q=.5"], nil),
        (["application/eat+jwt;q=0.0001"], nil), (["application/eat+jwt;q=x"], nil), (["application/eat+jwt;q="], nil),
        (["application/eat+jwt;q=-1"], nil), (["application/eat+jwt;eat_profile"], nil), (["*"], nil),
        (["*/json"], nil),
        (["application"], nil), (["application/"], nil), (["/eat+jwt"], nil), (["application/eat+jwt/x"], nil),
        (["application /eat+jwt"], nil), ([#"application/eat+jwt;a="x"#], nil), ([#"application/eat+jwt;a="x"y"#], nil),
        (["application/eat+jwt;a=1;a=1"], nil), (["\"application/eat+jwt\""], nil), (["text/html"], nil),
        (["*, application/eat+jwt"], result), ([", ,application/eat+jwt,"], result),
        (["application/eat+jwt;;q=0.5;"], result),
        ([String(repeating: "text/html,", count: 31) + "application/eat+jwt"], result),
        ([String(repeating: "text/html,", count: 32) + "application/eat+jwt"], nil),
        (["text/" + String(repeating: "x", count: 2100) + ", application/eat+jwt"], nil),
    ]

    @Test("The answer is of the kind that is wanted most, or there is none", arguments: table.indices)
    func wanted(_ index: Int) async throws {
        let (fields, expected) = Self.table[index]
        let route = Route(.get, "/x", access: .public) { request in
            ServiceResponse(.ok, try request.answerType(among: [Self.session, Self.result]), [])
        }
        try await withService([route]) { client in
            let answer = try await client.call(.get, "/x", headers: fields.map { ("Accept", $0) })
            #expect(answer.status == (expected == nil ? 406 : 200), "\(fields)")
            guard expected == nil else {
                #expect(answer.header("content-type") == expected, "\(fields)")
                return
            }
            #expect(answer.problem == "not-acceptable")
            #expect(answer.text.contains("application/eat+jwt"), "it says what there is")
        }
    }
}

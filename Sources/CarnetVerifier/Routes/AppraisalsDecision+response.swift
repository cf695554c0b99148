import CarnetRecords
import CarnetEvidence
import CarnetService
import HTTPTypes
import StrictEncoding

extension Appraisals.Decision {
    /// How far its session is.
    var status: SessionState {
        switch self {
        case .issued: .complete
        case .failed: .failed
        }
    }

    /// The answer in the form that the client wants: the result alone, or an object around it.
    ///
    /// - Parameters:
    ///   - mediaType: What the request's `Accept` came to.
    ///   - write: The members of the object.
    /// - Throws: ``Problem``: 422 where the result alone is wanted and there is none.
    func response(
        _ mediaType: String, _ write: (inout JSONWriter) -> Void
    ) throws(Problem) -> ServiceResponse {
        guard mediaType == MediaType.result else {
            return ServiceResponse(.ok, mediaType, JSONWriter.object(write))
        }
        switch self {
        case .issued(let token, _): return ServiceResponse(.ok, mediaType, Array(token.utf8))
        case .failed(let findings): throw .noResult(findings)
        }
    }
}

extension Problem {
    /// The chain of evidence is broken, and the client has no place for findings.
    fileprivate static func noResult(_ findings: [Finding]) -> Problem {
        let rules = Set(findings.prefix(16).map(\.rule)).sorted().joined(separator: ", ")
        return Problem(
            "no-result", .unprocessableContent, title: "The evidence proves nothing",
            detail:
                "The chain of evidence is broken (\(rules)): there is no result. Without Accept the answer has the findings."
        )
    }
}

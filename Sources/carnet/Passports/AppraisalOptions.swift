import ArgumentParser
import CarnetRelyingParty
import CarnetResult
import StrictEncoding

/// How a machine must have been appraised.
struct AppraisalOptions: ParsableArguments {
    @Option(
        help: "A policy that must have been applied; repeat for several. Without @sha256:… every version is accepted.")
    var policyID: [String] = []

    @Option(help: "The SHA-256 digest of a policy that must have been applied, in hexadecimal; repeat for several.")
    var policyDigest: [String] = []

    @Option(help: "The shallowest acceptable appraisal: pcrs, event-log or event-log+ima.")
    var depth: AppraisalDepth = .pcrs

    func validate() throws {
        guard policyDigest.allSatisfy({ Hexadecimal.decode($0)?.count == 32 }) else {
            throw ValidationError("--policy-digest is 64 hexadecimal digits.")
        }
    }

    func apply(to expectations: inout Expectations) {
        expectations.policyIDs = Set(policyID)
        expectations.policyDigests = Set(policyDigest.map { $0.lowercased() })
        expectations.minimumDepth = depth
    }
}

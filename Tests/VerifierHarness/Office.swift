import CarnetAttester
package import CarnetRelyingParty
package import CarnetTesting
import CarnetRecords
import CarnetVerifier
import Fixtures
import Foundation
import HTTPTypes
package import ServiceHarness
package import StrictEncoding
import TPM2

/// A verifier that trusts the authority of one machine's TPM and wants that machine to boot as ``GoodBoot`` does.
package struct Office {
    /// The verifier, on a free port once it runs.
    package let verifier: VerifierUnderTest
    private let folder: TemporaryDirectory

    /// A verifier that has never run.
    ///
    /// - Parameters:
    ///   - place: Where it serves TLS; on a free port, and without TLS, otherwise.
    ///   - tokenLifetime: How long its passports are good, in seconds, unless that is as usual.
    package init(
        trusting tpm: SoftwareTPM, approves: Bool = true, policy text: String? = nil, alsoFor audiences: [String] = [],
        at place: TLSPlace? = nil, tokenLifetime: Int64? = nil,
        on engine: TestDatabasePlace.Engine = TestDatabasePlace.usualEngine
    ) throws {
        let folder = try TemporaryDirectory()
        self.folder = folder
        let anchors = folder.path + "/anchors"
        try FileManager.default.createDirectory(atPath: anchors, withIntermediateDirectories: true)
        for (index, file) in tpm.authorityFiles.enumerated() {
            try FileManager.default.copyItem(atPath: file, toPath: "\(anchors)/\(index).pem")
        }
        let policy = try folder.write(Array((text ?? GoodBoot.policy(for: GoodBoot.log())).utf8), "policy.yaml")
        verifier = try VerifierUnderTest(on: engine) { configuration in
            configuration.trustAnchors = anchors
            configuration.policyFile = policy
            configuration.approvesOnEnrolment = approves
            configuration.audiences += audiences
            if let tokenLifetime { configuration.tokenLifetime = tokenLifetime }
            place?.apply(to: &configuration)
        }
    }

    /// A relying party's view of the office: its key set, its status lists, and what a passport has to be.
    package static func relyingParty(_ client: ServiceClient) async throws -> PassportVerifier {
        let keys = try await client.call(.get, "/.well-known/jwks.json").body
        return try await PassportVerifier(
            keySet: keys,
            expectations: Expectations(issuer: VerifierUnderTest.issuer, audience: VerifierUnderTest.audience)
        ).checking(client.statusLists())
    }

    /// Stores a policy and makes it active.
    package func activate(_ policy: String, _ client: ServiceClient) async throws {
        let stored = try await client.call(
            .post, "/admin/v1/policies", token: verifier.administrator, type: "application/yaml",
            body: Array(policy.utf8))
        let digest = try stored.json["sha256"]?.string ?? ""
        _ = try await client.call(
            .post, "/admin/v1/policies/\(digest)/activation", token: verifier.administrator)
    }

    /// What the ledger says of the last appraisal.
    package func lastAppraisal(_ client: ServiceClient) async throws -> JSONNode? {
        try await client.call(.get, "/admin/v1/appraisals?limit=1", token: verifier.administrator).json["appraisals"]?
            .elements?.first
    }

    /// Now, in seconds since 1970.
    package static var now: Int64 { Int64(Date().timeIntervalSince1970) }
}

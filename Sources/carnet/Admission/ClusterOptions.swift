import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult
import NodeAdmission
import PolicyDocument
import StrictEncoding

/// What a cluster knows of its verifier and its nodes, and what it demands of a passport.
struct ClusterOptions: ParsableArguments {
    @Option(help: "The file of the verifier's JWKS.")
    var jwks: String

    @Option(help: "The verifier that must have issued the passport.")
    var issuer: String

    @Option(help: "The cluster's own name, for which the passport must be meant.")
    var audience: String

    @Option(help: "A YAML file of names and machines, which alone counts then.")
    var names: String?

    @Option(help: "The label of machines that says which node one is; by default \(NodeNames.defaultLabel).")
    var label: String?

    @Option(
        name: .customLong("status-list"),
        help: "The file of a status list, as the verifier serves it; repeat for several.")
    var statusLists: [String] = []

    @Option(help: "The oldest acceptable status list, in seconds: 0 to 86400.")
    var maximumStatusAge: Int64 = 300

    @Flag(help: "Refuse a passport that names no status list: nobody could withdraw it.")
    var requireStatus = false

    @Flag(help: "Do not look at status lists: a passport that was withdrawn passes until it expires.")
    var skipStatus = false

    @Option(
        help: "A policy that must have been applied; repeat for several. Without @sha256:… every version is accepted.")
    var policyID: [String] = []

    @Option(help: "The SHA-256 digest of a policy that must have been applied, in hexadecimal; repeat for several.")
    var policyDigest: [String] = []

    @Option(help: "The shallowest acceptable appraisal: pcrs, event-log or event-log+ima.")
    var depth: AppraisalDepth = .pcrs

    @Option(
        help: "The weakest acceptable protection of the bound key: tpm-state, tpm or software, which kubelets need.")
    var keyProtection: KeyProtection = .software

    func validate() throws {
        guard names == nil || label == nil else { throw ValidationError("Give --names or --label, not both.") }
        guard (0...86_400).contains(maximumStatusAge) else {
            throw ValidationError("--maximum-status-age is 0 to 86400.")
        }
        guard policyDigest.allSatisfy({ Hexadecimal.decode($0)?.count == 32 }) else {
            throw ValidationError("--policy-digest is 64 hexadecimal digits.")
        }
        guard !skipStatus || (statusLists.isEmpty && !requireStatus) else {
            throw ValidationError("--skip-status looks at no list: leave --status-list and --require-status out.")
        }
    }

    func verifier() throws -> PassportVerifier {
        var expectations = AdmissionRules.expectations(issuer: issuer, audience: audience)
        expectations.minimumKeyProtection = keyProtection
        expectations.minimumDepth = depth
        expectations.policyIDs = Set(policyID)
        expectations.policyDigests = Set(policyDigest.map { $0.lowercased() })
        expectations.revocation =
            skipStatus ? .notChecked : .checked(maximumStaleness: maximumStatusAge, requiresStatus: requireStatus)
        let keySet: JSONWebKeySet
        do {
            keySet = try JSONWebKeySet(parsing: Input.bytes(jwks))
        } catch let error as JOSEError {
            throw Failure(.unreadable, "\(jwks): \(error)")
        }
        return try PassportVerifier(keySet: keySet, expectations: expectations).checking(lists(keySet))
    }

    private func lists(_ keySet: JSONWebKeySet) throws -> StatusLists {
        var lists = try StatusLists(keySet: keySet)
        for file in statusLists {
            let token = try Input.statusList(file)
            do {
                try lists.add(token)
            } catch {
                let isRefused = [.signature, .unknownKey].contains(error.code)
                throw Failure(isRefused ? .refused : .unreadable, "\(file): \(error)")
            }
        }
        return lists
    }

    func nodeNames() throws -> NodeNames {
        guard let names else { return NodeNames(label: label ?? NodeNames.defaultLabel) }
        let bytes = try Input.bytes(names)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.unreadable, "\(names): is not UTF-8.")
        }
        do {
            let subjects = try NodeNamesDocument.subjects(in: text)
            if let bad = subjects.first(where: { !NodeName.isValid($0.key) || !NodeSubject.isSubject($0.value) }) {
                throw Failure(
                    .unreadable,
                    "\(names): \(bad.key) is no node's name, or \(bad.value) no machine's (\(NodeSubject.prefix)…).")
            }
            return NodeNames(subjects: subjects)
        } catch let error as PolicyError {
            throw Failure(.unreadable, "\(names): \(error)")
        }
    }
}

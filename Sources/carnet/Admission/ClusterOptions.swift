import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult
import NodeAdmission
import PolicyDocument

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

    @OptionGroup var status: StatusListOptions
    @OptionGroup var appraisal: AppraisalOptions

    @Option(
        help: "The weakest acceptable protection of the bound key: tpm-state, tpm or software, which kubelets need.")
    var keyProtection: KeyProtection = .software

    func validate() throws {
        guard names == nil || label == nil else { throw ValidationError("Give --names or --label, not both.") }
    }

    func verifier() throws -> PassportVerifier {
        var expectations = AdmissionRules.expectations(issuer: issuer, audience: audience)
        expectations.minimumKeyProtection = keyProtection
        expectations.revocation = status.revocation
        appraisal.apply(to: &expectations)
        return try status.verifier(jwks: jwks, expectations)
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

import ArgumentParser
import CarnetCommandLine
import CarnetRelyingParty
import CarnetResult
import NodeAdmission
import StrictEncoding

struct AdmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admit",
        abstract: "Decide whether a machine may join a cluster under a node's name, and say why not.",
        discussion: """
            Examples:
              carnet admit --node node-17 --passport passport.jwt --jwks jwks.json --issuer https://verifier.example \\
                  --audience https://cluster-a.example --status-list list.jwt
              carnet admit --node node-17 --csr node.csr --jwks jwks.json --issuer … --audience … --names nodes.yaml
              carnet admit --node node-17 --csr serving.csr --signer serving --address 10.0.0.17 --passport passport.jwt --jwks …

            With a certificate request, it is decided as carnet-admission decides in Kubernetes: the request shows the passport (inside it, or
            as a block behind it, or with --passport) and is for the passport's key. Whoever signs it then must give each passport one
            certificate only: `tokenID` with --json.
            Without one, whoever copied the passport passes: demand a proof that the machine holds its key (`carnet verify --proof`).
            Which node a machine is says a label that its operator gave it at the verifier (--label), or a file (--names) of the form
                names:
                  node-17: urn:carnet:node:5f0c…

            Exit status: 0 allow, 1 deny, also for as long as it cannot be decided, 2 wrong usage or unreadable input, 3 no such file.
            """)

    @Option(help: "The name that the machine is to have in the cluster.")
    var node: String

    @Option(help: "The passport's file; - is standard input.")
    var passport: String?

    @OptionGroup(title: "The certificate request") var request: AdmitRequestOptions
    @OptionGroup(title: "What the cluster knows and demands") var cluster: ClusterOptions

    @Flag(help: "Print JSON.")
    var json = false

    struct Report: Encodable {
        /// `allow`, `deny` or `wait`.
        let decision: String
        let node: String
        var reason: String? = nil
        var message: String? = nil
        var subject: String? = nil
        var tokenID: String? = nil
        var keyThumbprint: String? = nil
        var passportExpiresAt: Int64? = nil
    }

    func validate() throws {
        guard passport != nil || request.csr != nil else { throw ValidationError("Give --passport, --csr or both.") }
        guard passport != "-" || request.csr != "-" else {
            throw ValidationError("Only one of --passport and --csr can be standard input.")
        }
        guard NodeName.isValid(node) else {
            throw ValidationError("--node is a name in lower case, as RFC 1123 writes host names.")
        }
    }

    func run() throws {
        let verifier = try cluster.verifier(), now = currentTime()
        let token = try passport.map { try Input.token($0) }
        let decision: NodeDecision
        if let csr = request.csr {
            let text = try Self.text(Input.bytes(csr, maximum: 65_536), showing: token)
            decision = try request.rules(cluster).decide(
                request.request(text, for: node), by: verifier, at: now, known: request.known)
        } else {
            decision = try request.rules(cluster).decide(passport: token ?? [], of: node, by: verifier, at: now)
        }
        try tell(report(decision))
    }

    /// The request's text, with the passport behind it that was given beside it.
    private static func text(_ text: [UInt8], showing passport: [UInt8]?) throws -> [UInt8] {
        guard let passport else { return text }
        let blocks = try? PEM.blocks(in: text, maximumByteCount: 65_536, maximumCount: 2)
        guard blocks?.count != 2 else {
            throw ValidationError("The request's file shows a passport of its own: leave --passport out.")
        }
        let end: [UInt8] = text.last == 0x0A ? [] : [0x0A]
        return text + end + Array(PassportCarrier.block(carrying: passport).text.utf8)
    }

    private func report(_ decision: NodeDecision) -> Report {
        switch decision {
        case .admit(let admitted) where admitted.node != node:
            Report(
                decision: "deny", node: node, reason: "RequestForAnotherNode",
                message: "The request is for \(admitted.node), not \(node). Decide about it under its own name.")
        case .admit(let admitted):
            Report(
                decision: "allow", node: node, subject: admitted.subject, tokenID: admitted.tokenID,
                keyThumbprint: admitted.keyThumbprint, passportExpiresAt: admitted.passportExpiresAt)
        case .deny(let denial):
            Report(decision: "deny", node: node, reason: denial.reason, message: denial.message)
        case .wait(let denial):
            Report(decision: "wait", node: node, reason: denial.reason, message: denial.message)
        }
    }

    private func tell(_ report: Report) throws {
        if json { try Output.json(report) }
        guard report.decision == "allow" else {
            let word = report.decision == "deny" ? "Denied" : "Not decided, ask again"
            throw Failure(
                .refused, json ? "" : "\(word) (\(report.reason ?? "")): \(report.message ?? "")")
        }
        guard !json else { return }
        Output.line("Allowed: \(node) is \(report.subject ?? "")")
        Output.line(
            request.csr != nil
                ? "The request is by the key that was attested, and the passport \(report.tokenID ?? "") is for it alone"
                : "That whoever showed the passport is that machine is NOT proven: anybody could have copied it")
    }
}

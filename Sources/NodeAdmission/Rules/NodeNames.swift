public import CarnetRelyingParty
internal import CarnetResult

/// Which node of the cluster a machine is. It is the operator who says so, never the machine.
///
/// A machine that was enrolled under a name of its choice could else be any node, the control plane's among them.
public struct NodeNames: Sendable, Hashable {
    /// The label that says it where nothing else was chosen.
    public static let defaultLabel = "kubernetes-node"

    private enum Source: Sendable, Hashable {
        case label(String)
        case machines([String: String])
    }

    private let source: Source

    /// The value of a label of the machine, which an operator gave it at the verifier, and which the passport states because the policy
    /// discloses it. Labels have at most 63 characters: nodes with longer names need the other way.
    public init(label: String = defaultLabel) { source = .label(label) }

    /// The name under which the machine's enrolment (`sub`) stands here, and no label.
    ///
    /// - Parameter subjects: Enrolments by the names of nodes.
    public init(subjects: [String: String]) { source = .machines(subjects) }

    /// The node that a machine is; `nil` when nobody says, when it is said of two nodes, and when what is said is no node's name.
    public func nodeName(of result: VerifiedResult) -> String? {
        nodeName(result.subject, result.submodules[AttestationResult.submodule]?.nodeLabels ?? [:])
    }

    /// The same for a passport that may be worth nothing any more.
    public func nodeName(of identity: PassportIdentity) -> String? {
        nodeName(identity.subject, identity.nodeLabels)
    }

    private func nodeName(_ subject: String, _ labels: [String: String]) -> String? {
        switch source {
        case .label(let key): return labels[key].flatMap { NodeName.isValid($0) ? $0 : nil }
        case .machines(let subjects):
            let names = subjects.filter { PresentedRequest.isEqual($0.value, subject) }.map(\.key)
            return names.count == 1 && NodeName.isValid(names[0]) ? names[0] : nil
        }
    }

    /// What to do about a machine of which nobody says which node it is.
    func advice(for node: String, _ subject: String) -> String {
        switch source {
        case .label(let key):
            "If this machine is \(node), label \(shown(subject)) with \(key)=\(node) at the verifier (carnet node label), under a policy that discloses \(key)"
        case .machines: "If this machine is \(node), write \(node): \(shown(subject)) into the file of names"
        }
    }

    /// Where it is said which node a machine is.
    var place: String {
        switch source {
        case .label(let key): "the label \(key) at the verifier"
        case .machines: "the file of names"
        }
    }
}

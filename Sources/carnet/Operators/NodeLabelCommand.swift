import ArgumentParser
import CarnetCommandLine
import StrictEncoding

struct NodeLabelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "label",
        abstract: "Give a machine labels in place of those that it has: policies select machines by them.",
        discussion: "Examples:\n  carnet node label node-17 role=worker site=fra\n  carnet node label node-17   # none")

    @Argument(help: "The node's name or identifier.")
    var node: String

    @Argument(help: "Labels, each as name=value.")
    var labels: [String] = []

    @OptionGroup var options: OperatorOptions

    func run() async throws {
        var values: [String: String] = [:]
        for label in labels {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, values.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValidationError("\(label) is no label like role=worker, or stands twice.")
            }
        }
        let identifier = try await options.nodeIdentifier(node)
        let body = JSONWriter.object { writer in
            for (name, value) in values.sorted(by: { $0.key < $1.key }) { writer.string(named: name, value) }
        }
        _ = try await options.send("PUT", "/admin/v1/nodes/\(identifier)/labels", body: body)
        Output.line("Labelled \(node): \(labels.isEmpty ? "none" : labels.joined(separator: " "))")
    }
}

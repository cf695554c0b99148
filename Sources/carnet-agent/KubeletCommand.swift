import ArgumentParser

struct KubeletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubelet",
        abstract: "Get a Kubernetes node its credentials, by attestation.",
        subcommands: [KubeletRunCommand.self, KubeletCredentialCommand.self],
        defaultSubcommand: KubeletRunCommand.self)
}

import ArgumentParser
import CarnetCommandLine
import Foundation
import KubernetesAPI
import NodeAdmission

/// Which cluster a command asks.
struct KubernetesOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The kubeconfig; by default $KUBECONFIG, or ~/.kube/config.", valueName: "file"))
    var kubeconfig: String?

    @Option(help: ArgumentHelp("Its context; by default the current one.", valueName: "name"))
    var context: String?

    @Option(
        help: ArgumentHelp("A proxy on loopback in place of a kubeconfig, as kubectl proxy is one.", valueName: "url"))
    var server: String?

    @Option(help: "The gate's namespace.")
    var namespace = "carnet"

    func validate() throws {
        guard server == nil || (kubeconfig == nil && context == nil) else {
            throw ValidationError("--server stands in place of --kubeconfig and --context.")
        }
        guard NodeName.isNamespace(namespace) else {
            throw ValidationError(
                "--namespace is at most 63 lower-case letters, digits and hyphens between them; not \"\(namespace)\".")
        }
    }

    /// What to do where the gate's own objects are not found.
    static let isGateThere = "Is the gate installed there? --namespace says where it is."

    /// Asks the cluster's API server, and makes what goes wrong a failure with the exit status of its kind.
    ///
    /// - Parameter forbidden: What it is when the account may not: an answer of its own where asking is all that is done.
    func asking<Answer: Sendable>(
        forbidden: Failure.Status = .refused, _ body: (KubernetesClient) async throws(KubernetesError) -> Answer
    ) async throws(Failure) -> Answer {
        let client: KubernetesClient
        do throws(ClusterConfiguration.Unusable) {
            client = try KubernetesClient(configuration())
        } catch {
            throw Failure(.unreadable, error.description)
        }
        do throws(KubernetesError) {
            let answer = try await body(client)
            await client.close()
            return answer
        } catch {
            await client.close()
            let status: Failure.Status =
                switch error.code {
                case .unreachable, .server, .tooManyRequests: .unreachable
                case .unreadable: .unreadable
                case .forbidden, .unauthorized: forbidden
                default: .refused
                }
            throw Failure(status, "The API server: \(error)")
        }
    }

    private func configuration() throws(ClusterConfiguration.Unusable) -> ClusterConfiguration {
        if let server { return try ClusterConfiguration(server: server, authority: .system, credential: .none) }
        let environment = ProcessInfo.processInfo.environment
        let home = environment["HOME"].map { $0 + "/.kube/config" }
        guard let file = kubeconfig ?? environment["KUBECONFIG"].flatMap({ $0.isEmpty ? nil : $0 }) ?? home else {
            throw ClusterConfiguration.Unusable("There is no kubeconfig: give --kubeconfig.")
        }
        return try Kubeconfig(file: file, context: context).configuration
    }
}

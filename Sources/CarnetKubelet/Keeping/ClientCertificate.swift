internal import CarnetAttester
internal import Foundation
internal import KubernetesAPI
internal import Logging

/// The node's client certificate: read, asked for, written, renewed.
struct ClientCertificate: Sendable {
    let settings: KubeletSettings
    let asking: CertificateAsking
    let node: NodeClient
    let logger: Logger
    var clock: KeeperClock { asking.machine.clock }

    /// What is in the file, if it is this node's and has not expired.
    var held: NodeCredential? {
        NodeCredential(file: settings.credentialFile).flatMap {
            $0.node == settings.node && $0.notAfter > clock.calendar() ? $0 : nil
        }
    }

    /// Asks for a new one and puts it in place. What is there stays until then.
    ///
    /// It is asked for with the certificate that is held; where there is none, or the API server does not take it any more, with the
    /// bootstrap token.
    @discardableResult
    func renew() async throws -> NodeCredential {
        if let held {
            do {
                return try await ask(settings.cluster(held))
            } catch let error as KubernetesError
                where error.code == .unauthorized && settings.bootstrapKubeconfig != nil
            {
                logger.warning("the API server does not take the node's certificate; asking with the bootstrap token")
            }
        }
        return try await ask(settings.bootstrap())
    }

    private func ask(_ configuration: ClusterConfiguration) async throws -> NodeCredential {
        let client = try KubernetesClient(configuration)
        let result: Result<NodeCredential, any Error>
        do {
            result = .success(
                try await asking.ask(client, until: clock.monotonic() + settings.patience * 1000))
        } catch { result = .failure(error) }
        await client.close()
        let credential = try result.get()
        try write(credential, configuration)
        try await node.use(credential, settings)
        logger.notice(
            "the node has a new certificate",
            metadata: ["node": .string(settings.node), "expires": .string(Self.text(credential.notAfter))])
        return credential
    }

    /// The pair first, each file in one step: a kubelet that reads in between has the old pair or the new one.
    private func write(_ credential: NodeCredential, _ configuration: ClusterConfiguration) throws {
        try Self.makeFolder(of: settings.credentialFile)
        try PrivateFile.write(credential.pem, to: settings.credentialFile)
        let text = Array(
            configuration.kubeletConfiguration(credentialFile: settings.credentialFile, node: settings.node).utf8)
        if let present = FileManager.default.contents(atPath: settings.kubeconfig), [UInt8](present) == text { return }
        try Self.makeFolder(of: settings.kubeconfig)
        try PrivateFile.write(text, to: settings.kubeconfig)
    }

    static func makeFolder(of file: String) throws {
        try FileManager.default.createDirectory(
            at: URL(filePath: file).deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    static func text(_ time: Int64) -> String { Date(timeIntervalSince1970: TimeInterval(time)).formatted(.iso8601) }
}

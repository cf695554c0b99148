import Fixtures
import Foundation
@testable import KubernetesAPI
import KubernetesHarness
import Testing

/// How an API server is found, and what is refused.
@Suite("Configurations of a cluster") struct ConfigurationTests {
    static func text(
        cluster: String = "server: https://api.example:6443", user: String = "token: abc", current: String = "c"
    ) -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: \(current)
        clusters: [{name: k, cluster: {\(cluster)}}]
        users: [{name: u, user: {\(user)}}]
        contexts: [{name: c, context: {cluster: k, user: u, namespace: gate}}, {name: lost, context: {cluster: k, user: w}}]
        """
    }

    @Test("A kubeconfig says server, authority, credential and namespace") func kubeconfig() throws {
        let file = try Kubeconfig(
            parsing: Self.text(cluster: "server: 'https://api.example:6443/', certificate-authority: ca.pem"),
            folder: "/etc/gate")
        #expect(file.namespace == "gate")
        #expect(file.configuration.server == "https://api.example:6443")
        #expect(file.configuration.authority == .file("/etc/gate/ca.pem"))
        #expect(file.configuration.credential == .token("abc"))
        let other = try Kubeconfig(
            parsing: Self.text(user: "tokenFile: /run/token"), folder: "/etc/gate", context: "c")
        #expect(other.configuration.credential == .tokenFile("/run/token"))
        let certificate = try Kubeconfig(
            parsing: Self.text(user: "client-certificate: a.pem, client-key-data: YQ=="), folder: "/etc/gate/")
        #expect(
            certificate.configuration.credential
                == .certificate(certificate: .file("/etc/gate/a.pem"), key: .data([0x61])))
    }

    @Test(
        "What would weaken the gate, or is not there, is refused with a reason",
        arguments: [
            (text(cluster: "server: https://a, insecure-skip-tls-verify: true"), "insecure-skip-tls-verify"),
            (text(user: "exec: {command: aws}"), "exec"), (text(user: "auth-provider: {name: x}"), "exec"),
            (text(user: "username: a, password: b"), "password"),
            (text(user: "token: a, as: root"), "acts as another"),
            (text(user: "client-certificate: a.pem"), "without a key"),
            (text(user: "client-certificate-data: '?', client-key-data: YQ=="), "base64"),
            (text(current: "''"), "current-context"), (text(current: "none"), "no context none"),
            (text(current: "lost"), "no user w"), (text(cluster: "{}"), "no"),
            (text(cluster: "server: http://api.example"), "not https"),
            (text(cluster: "server: http://127.0.0.1:8001"), "not https"),
            (text(cluster: "server: https://a, proxy-url: http://p"), "proxy-url"),
            (text(cluster: "server: https://a, tls-server-name: b"), "tls-server-name"), ("[", "no kubeconfig"),
        ])
    func refused(text: String, reason: String) {
        #expect {
            try Kubeconfig(parsing: text, folder: "/")
        } throws: { "\($0)".contains(reason) }
    }

    @Test("A pod is told where its API server is, and its token is read anew for each request") func pod() throws {
        let folder = try TemporaryDirectory()
        #expect(throws: ClusterConfiguration.Unusable.self) { try ClusterConfiguration.inCluster([:]) }
        let configuration = try ClusterConfiguration.inCluster(
            ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"], folder: folder.path)
        #expect(configuration.server == "https://[fd00::1]:443")
        #expect(throws: ClusterConfiguration.Unusable.self) { try configuration.credential.token() }
        _ = try folder.write(Array("first\n".utf8), "token")
        #expect(try configuration.credential.token() == "first")
        try Data("second".utf8).write(to: URL(filePath: folder.path + "/token"))
        #expect(try configuration.credential.token() == "second")
        _ = try folder.write(Array("carnet\n".utf8), "namespace")
        #expect(ClusterConfiguration.namespace(folder: folder.path) == "carnet")
        #expect(ClusterConfiguration.namespace(folder: "/no/such/folder") == nil)
    }
}

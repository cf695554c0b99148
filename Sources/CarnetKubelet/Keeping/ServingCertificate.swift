internal import CarnetAttester
internal import Cryptography
internal import Foundation
internal import KubernetesAPI
internal import Logging

/// The certificate of the kubelet's own API, for the node's name and the addresses that its Node object states.
struct ServingCertificate: Sendable {
    let settings: KubeletSettings
    let file: String
    let asking: CertificateAsking
    let node: NodeClient
    let logger: Logger
    var clock: KeeperClock { asking.machine.clock }

    /// What is in the file, if it is this node's and has not expired.
    var held: NodeCredential? {
        NodeCredential(file: file).flatMap {
            $0.node == settings.node && $0.notAfter > clock.calendar() ? $0 : nil
        }
    }

    /// Asks for a new one with the node's own certificate, and puts it in place.
    func renew() async throws {
        guard let client = await node.present else {
            throw KubeletError(
                .credential, "A serving certificate is asked for with the node's own, which is not there yet.")
        }
        let names = try Self.names(try await client.get(.nodes, settings.node), settings.node)
        let credential = try await asking.ask(
            client, alternativeNames: names, until: clock.monotonic() + settings.patience * 1000)
        try ClientCertificate.makeFolder(of: file)
        try PrivateFile.write(credential.pem, to: file)
        logger.notice(
            "the node has a new serving certificate",
            metadata: ["file": .string(file), "expires": .string(ClientCertificate.text(credential.notAfter))])
    }

    /// The node's name and its addresses.
    static func names(
        _ object: KubernetesObject, _ node: String
    ) throws(KubeletError) -> CertificateRequest.AlternativeNames {
        var names = CertificateRequest.AlternativeNames(dns: [node])
        for entry in object.status["addresses"]?.elements ?? [] {
            guard ["InternalIP", "ExternalIP"].contains(entry["type"]?.string ?? ""),
                let text = entry["address"]?.string,
                let address = address(text), !names.addresses.contains(address)
            else { continue }
            names.addresses.append(address)
        }
        guard !names.addresses.isEmpty else {
            throw KubeletError(
                .addresses, "The Node \(node) states no address yet, which a serving certificate could name.")
        }
        return names
    }

    private static func address(_ text: String) -> [UInt8]? {
        var four = in_addr(), six = in6_addr()
        guard !text.utf8.contains(0) else { return nil }
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }
}

import Cryptography
import KubernetesAPI
import NodeAdmission
import Testing

@testable import CarnetKubelet

@Suite("What a node asks its cluster to sign") struct SigningRequestTests {
    private func asked(_ signer: NodeCertificateRequest.Signer, asksKeyEncipherment: Bool) throws -> [String] {
        let request = try SigningRequest(
            signer, node: "node-17", key: .generate(), showing: Array("a.b.c".utf8), life: 600,
            asksKeyEncipherment: asksKeyEncipherment)
        return try #require(request.object.spec["usages"]?.elements).compactMap(\.string)
    }

    @Test("The usages are those of a key on a curve, and one more where the signer is old")
    func usages() throws {
        #expect(
            try asked(.apiServerClientKubelet, asksKeyEncipherment: false) == ["digital signature", "client auth"])
        #expect(try asked(.kubeletServing, asksKeyEncipherment: false) == ["digital signature", "server auth"])
        #expect(
            try asked(.apiServerClientKubelet, asksKeyEncipherment: true)
                == ["digital signature", "key encipherment", "client auth"])
    }
}

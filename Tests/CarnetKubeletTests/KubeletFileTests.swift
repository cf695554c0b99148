import CarnetAttester
import CarnetKubelet
import Fixtures
import Foundation
import KubernetesAPI
import StrictEncoding
import Testing

@Suite("Files for the kubelet, and words with clients of Kubernetes")
struct KubeletFileTests {
    @Test("The kubelet's kubeconfig is read as it was meant, whatever is in its words")
    func kubeconfig() throws {
        let file = "/var/lib/kubelet/pki/a \"b\": {c}\n#.pem"
        for authority: ClusterConfiguration.Authority in [.system, .file("/etc/ca \\ #.pem"), .data(Array("PEM".utf8))]
        {
            let cluster = try ClusterConfiguration(
                server: "https://10.0.0.1:6443", authority: authority, credential: .token("secret-7"))
            let text = cluster.kubeletConfiguration(credentialFile: file, node: "node-17")
            let read = try Kubeconfig(parsing: text, folder: "/nowhere").configuration
            #expect(read.server == cluster.server && read.authority == authority)
            #expect(read.credential == .certificate(certificate: .file(file), key: .file(file)))
            #expect(!text.contains("secret-7"), "the bootstrap token stays where it is")
        }
    }

    @Test("A credential plugin answers in the client's version, and no other")
    func versions() throws {
        func version(_ info: String?) -> String? {
            (try? ExecCredential(environment: info.map { ["KUBERNETES_EXEC_INFO": $0] } ?? [:]))?.apiVersion
        }
        for version in ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] {
            let request = try ExecCredential(environment: [
                "KUBERNETES_EXEC_INFO":
                    #"{"kind":"ExecCredential","apiVersion":"\#(version)","spec":{"interactive":false}}"#
            ])
            let answer = request.answer(Array("a.b.c".utf8), until: 1_800_000_000)
            #expect(
                answer
                    == #"{"apiVersion":"\#(version)","kind":"ExecCredential","status":{"expirationTimestamp":"2027-01-15T08:00:00Z","token":"a.b.c"}}"#
            )
        }
        #expect(version(nil) == "client.authentication.k8s.io/v1")
        for info in [
            "", "{}", "[]", #"{"kind":"ExecCredential"}"#,
            #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1alpha1"}"#,
            #"{"kind":"Other","apiVersion":"client.authentication.k8s.io/v1"}"#,
            #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","apiVersion":"x"}"#,
        ] {
            #expect(version(info) == nil, "\(info)")
        }
    }

    @Test("A kept passport is given out again while it is good, and only from a file that is one's own")
    func cache() throws {
        let folder = try TemporaryDirectory(), now: Int64 = 1_800_000_000
        let cache = CredentialCache(directory: folder.path, verifier: "https://v.example", audience: "a")
        #expect(cache.passport(at: now) == nil)
        func token(_ claims: String) -> [UInt8] {
            Array(("e30." + Base64URL.encode(Array(claims.utf8)) + ".AAAA").utf8)
        }
        let good = token(#"{"ear_status":"affirming","iat":1800000000,"exp":1800000300}"#)
        cache.keep(good)
        #expect(cache.passport(at: now)?.token == good)
        #expect(cache.passport(at: now + 239)?.token == good && cache.passport(at: now + 240) == nil)
        #expect(cache.passport(at: now - 61) == nil, "it is from the future")
        #expect(
            CredentialCache(directory: folder.path, verifier: "https://v.example", audience: "b").passport(at: now)
                == nil)
        #expect(
            CredentialCache(directory: folder.path, verifier: "https://w.example", audience: "a").passport(at: now)
                == nil)
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
        let path = folder.path + "/" + file
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(cache.passport(at: now) == nil, "others can read it")
        cache.keep(token(#"{"ear_status":"contraindicated","iat":1800000000,"exp":1800000300}"#))
        #expect(cache.passport(at: now) == nil)
        cache.keep(Array("rubbish".utf8))
        #expect(cache.passport(at: now) == nil)
        cache.keep(good)
        #expect(cache.passport(at: now) != nil, "a new file has its own mode")
        try FileManager.default.moveItem(atPath: path, toPath: path + "2")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + "2")
        #expect(cache.passport(at: now) == nil, "a link is not followed")
    }
}

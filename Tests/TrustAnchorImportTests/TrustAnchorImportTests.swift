import Cryptography
import Fixtures
import Foundation
import StrictEncoding
import Testing
import TrustAnchorImport

@Suite("Importing trust anchors")
struct TrustAnchorImportTests {
    /// Two self-signed certificates; the first is in the manifest.
    struct Stage {
        let directory: TemporaryDirectory
        let known: Certificate
        let unknown: Certificate
        let manifest: TrustAnchorManifest

        init?() throws {
            guard let openssl = try Witness.find("openssl") else { return nil }
            directory = try TemporaryDirectory()
            var certificates: [Certificate] = []
            for name in ["known", "unknown"] {
                let made = try openssl.run(
                    [
                        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        "key", "-subj",
                        "/CN=" + name, "-out", name + ".pem",
                    ], directory: directory.path)
                #expect(made.status == 0, "\(made.errors)")
                certificates += try Certificate.parsePEM(directory.read(name + ".pem"))
            }
            known = certificates[0]
            unknown = certificates[1]
            let text =
                #"{"version":1,"anchors":[{"maker":"M","subject":"S","sha256":"\#(Hexadecimal.encode(known.fingerprint))","source":"here"}]}"#
            manifest = try TrustAnchorManifest(parsing: Array(text.utf8))
        }
    }

    @Test("What the manifest knows is installed, what is named too, and the rest is refused")
    func decisions() throws {
        guard let stage = try Stage() else { return }
        let anchors = TrustAnchorImport(manifest: stage.manifest, allowed: [])
        let pem = try stage.directory.read("known.pem") + stage.directory.read("unknown.pem")
        let outcomes = anchors.judge(pem, origin: "both.pem")
        #expect(outcomes.map(\.decision) == [.known("M"), .refused])
        #expect(anchors.judge(stage.known.der, origin: "known.der").map(\.isInstalled) == [true])
        let named = TrustAnchorImport(manifest: stage.manifest, allowed: [stage.unknown.fingerprint])
        #expect(named.judge(stage.unknown.der, origin: "unknown.der").map(\.decision) == [.named])
        let into = stage.directory.path + "/anchors"
        #expect(try anchors.install(outcomes, into: into) == 1)
        #expect(try anchors.install(outcomes, into: into) == 0, "a second time nothing is new")
        let files = try FileManager.default.contentsOfDirectory(atPath: into)
        #expect(files == [Hexadecimal.encode(stage.known.fingerprint) + ".der"])
    }

    @Test("A cabinet is read through, and its names lead nowhere")
    func cabinet() throws {
        guard let stage = try Stage(), let gcab = try Witness.find("gcab") else { return }
        _ = try stage.directory.write(stage.known.der, "known.cer")
        _ = try stage.directory.write(Array("readme".utf8), "readme.txt")
        let made = try gcab.run(
            ["-c", "-z", "TrustedTpm.cab", "known.cer", "unknown.pem", "readme.txt"], directory: stage.directory.path)
        #expect(made.status == 0, "\(made.errors)")
        let anchors = TrustAnchorImport(manifest: stage.manifest, allowed: [])
        let bytes = try stage.directory.read("TrustedTpm.cab")
        let outcomes = anchors.judge(bytes, origin: "TrustedTpm.cab")
        #expect(outcomes.map(\.decision) == [.known("M"), .refused])
        #expect(outcomes.map(\.origin) == ["TrustedTpm.cab: known.cer", "TrustedTpm.cab: unknown.pem"])
        for count in stride(from: 4, to: bytes.count, by: 97) {
            let partial = anchors.judge(Array(bytes.prefix(count)), origin: "cut")
            #expect(partial.count <= 2, "a cut cabinet yields what it holds or an error, never a trap")
        }
        try FileManager.default.removeItem(atPath: stage.directory.path + "/key")
        #expect(
            try anchors.judge(path: stage.directory.path).filter(\.isInstalled).count >= 3,
            "the whole directory is read")
    }

    @Test("What is no certificate is reported, not installed")
    func garbage() throws {
        guard let stage = try Stage() else { return }
        let anchors = TrustAnchorImport(manifest: stage.manifest, allowed: [])
        for bytes in [
            [], [1, 2, 3], Array("MSCF".utf8),
            Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8), stage.known.der + [0],
        ] {
            let outcomes = anchors.judge(bytes, origin: "garbage")
            #expect(outcomes.count == 1 && outcomes.allSatisfy { !$0.isInstalled && $0.certificate == nil })
        }
    }

    @Test(
        "A manifest that is not exactly one is refused",
        arguments: [
            "", "{}", #"{"version":2,"anchors":[]}"#, #"{"version":1,"anchors":[{}]}"#,
            #"{"version":1,"anchors":[{"maker":"M","subject":"S","sha256":"00","source":"x"}]}"#,
            #"{"version":1,"anchors":[{"maker":"M","subject":"S","sha256":"\#(String(repeating: "00", count: 32))","source":"x","more":1}]}"#,
        ])
    func manifest(text: String) {
        #expect(throws: TrustAnchorManifest.Unreadable.self) { try TrustAnchorManifest(parsing: Array(text.utf8)) }
    }

    @Test("The manifest in the repository is one, and knows the makers' certificates")
    func repository() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "Keys/TrustAnchors/manifest.json")
        let manifest = try TrustAnchorManifest(parsing: [UInt8](Data(contentsOf: file)))
        #expect(manifest.entries.count >= 40)
        guard SharedFixtures.areAvailable else { return print(SharedFixtures.skipReason) }
        let outcomes = try TrustAnchorImport(manifest: manifest, allowed: [])
            .judge(path: SharedFixtures.path("fixtures/ek-certs/keylime/tpm_cert_store"))
        #expect(outcomes.count >= 40 && outcomes.allSatisfy(\.isInstalled))
    }
}

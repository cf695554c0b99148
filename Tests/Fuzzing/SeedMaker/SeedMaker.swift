import CarnetAttester
import CarnetEvidence
import CarnetTesting
import CarnetResult
import Cryptography
import Foundation
import MeasurementLogs
import StrictEncoding
import TPM2

/// Writes one good input for each fuzz target into a directory of its name: the fuzzer changes it from there.
@main
struct SeedMaker {
    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: fuzz-seeds DIRECTORY\n".utf8))
            exit(2)
        }
        let log = GoodBoot.log(), machine = try ForgedMachine(booting: log), tokens = try TokenForge()
        let challenge = machine.challenge(Array(0..<8))
        let evidence = try machine.evidence(challenge) {
            $0.log = Array(log.bytes.prefix(1000))
            $0.runtimeLog = runtimeLog
            $0.ima = Evidence.IMA(offset: 7, entries: imaList())
        }
        let token = try tokens.signingKey.mint(tokens.result(issuedAt: 1_800_000_000))
        let list = try tokens.statusList("urn:x", issuedAt: 1_800_000_000, width: .four, [0: .invalid, 9: .suspended])
        let issuer = BundledIssuer(
            name: "i", currentKeys: try JSONWebKeySet(parsing: tokens.keySet), statusLists: [list])
        let bundle = try SigningKey(.generate()).sign(
            BundleContent(issuedAt: 1_800_000_000, expiresAt: 1_800_086_400, grace: 60, issuers: [issuer]), named: "b")
        let seeds: [(String, [UInt8])] = [
            ("bundle", bundle), ("bundle", try CompactJWS(parsing: bundle).payload),
            ("status-list", list), ("status-list", try CompactJWS(parsing: list).payload),
            ("json", try CompactJWS(parsing: list).payload),
            // A stored block of two bytes in a ZLIB stream (RFC 1950, RFC 1951 §3.2.4).
            ("status-list", [0x78, 0x01, 1, 2, 0, 0xFD, 0xFF, 7, 9, 0, 25, 0, 17]),
            ("quote", evidence.quote.attest), ("quote", evidence.keyAttestation?.certification.attest ?? []),
            ("signature", evidence.quote.signature), ("public", machine.area.bytes),
            ("public", TPM.EndorsementKeyTemplate.rsa2048.publicArea.bytes), ("event-log", log.bytes),
            ("runtime-log", runtimeLog), ("signature-database", signatureDatabase), ("image", image),
            ("ima-list", Self.imaList()),
            ("evidence", evidence.bytes), ("kbs-evidence", try Self.keyBrokerEvidence(machine, evidence)),
            ("token", token), ("token", tokens.keySet),
            ("policy", Array(try GoodBoot.policy(for: log).utf8)),
            ("reference-set", Self.referenceSet), ("debian-packages", Self.debianStatus),
            ("debian-packages", Array("/bin/sh\n/bin/sh.distrib\ndash\n".utf8)),
            ("debian-packages", Array("900150983cd24fb0d6963f7d28e17f72  usr/bin/true\n".utf8)),
            ("credential", TPM.Credential(idObject: [0, 2, 7, 8], encryptedSecret: [0, 1, 9]).toolsFile),
            ("import-blob", Self.importBlob), ("import-blob", Array("sha256:0,4,7+sha384:0".utf8)),
            ("luks2-header", luks2Metadata), ("luks2-header", LUKS2Header.bytes(withJSON: luks2Metadata)),
            ("sealed-message", try sealedMessage()), ("kept-trust", keptTrust(tokens.keySet, list)),
            ("certificate-request", try request(showing: token).der),
            (
                "node-request",
                Array(
                    (PEM.Block(label: PassportCarrier.requestLabel, content: try request(showing: token).der).text
                        + PassportCarrier.block(carrying: token).text).utf8)
            ),
            ("node-request", PassportCarrier.certificateExtension(carrying: token).der),
            ("kubernetes-json", node), ("admission-review", review("CREATE", node, old: nil)),
            ("admission-review", review("UPDATE", node, old: node)),
            ("kubernetes-json", review("UPDATE", node, old: node)),
            ("kubernetes-json", Array((String(repeating: "[", count: 70) + String(repeating: "]", count: 70)).utf8)),
            ("proxy-header", Array("PROXY TCP4 192.0.2.7 192.0.2.8 40000 443\r\nGET".utf8)),
            // Version 2, TCP over IPv4, with an extension of no bytes (PP2_TYPE_NOOP).
            (
                "proxy-header",
                [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A] + Array("QUIT\n".utf8) + [0x21, 0x11, 0, 15, 192, 0, 2, 7]
                    + [192, 0, 2, 8, 0x9C, 0x40, 1, 0xBB, 4, 0, 0]
            ),
        ]
        for (number, (target, bytes)) in seeds.enumerated() {
            let folder = CommandLine.arguments[1] + "/" + target
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(filePath: folder + "/seed-\(number)"))
        }
    }

    /// A node as the API server tells it, with a mark of each kind, numbers, an escape and a pair of surrogates.
    private static var node: [UInt8] {
        Array(
            #"""
            {"apiVersion":"v1","kind":"Node","metadata":{"name":"node-17","uid":"u","resourceVersion":"7","labels":{"zone":"a"},
            "annotations":{"carnet.dev/passport":"a.b.c","example.org/\u00e9":"\ud83d\ude00\ud83d \u003c"}},"spec":{"taints":[
            {"key":"carnet.dev/unattested","value":"never","effect":"NoSchedule"}]},"status":{"capacity":{"n":-1.5e+3},"ready":true,
            "conditions":[{"type":"CarnetAttested","status":"True"}],"images":[],"volumes":null}}
            """#.utf8)
    }

    /// What an API server asks about it.
    private static func review(_ operation: String, _ object: [UInt8], old: [UInt8]?) -> [UInt8] {
        Array(
            #"""
            {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","operation":"\#(operation)","name":"node-17",
            "resource":{"group":"","version":"v1","resource":"nodes"},"userInfo":{"username":"system:node:node-17","groups":["system:nodes"]},
            "object":\#(String(decoding: object, as: UTF8.self)),"oldObject":\#(old.map { String(decoding: $0, as: UTF8.self) } ?? "null")}}
            """#.utf8)
    }

    /// What a node asks for, with names in it that only a serving certificate may have.
    private static func request(showing token: [UInt8]) throws -> CertificateRequest {
        try CertificateRequest(
            subject: [.organization("system:nodes"), .commonName("system:node:node-17")],
            alternativeNames: .init(dns: ["node-17"], addresses: [[10, 0, 0, 17]]),
            extensions: [PassportCarrier.certificateExtension(carrying: token)], signedBy: .generate())
    }

    /// What a broker keeps of keys and one list.
    private static func keptTrust(_ keys: [UInt8], _ list: [UInt8]) -> [UInt8] {
        JSONWriter.object { writer in
            writer.integer("ver", 1)
            writer.string("issuer", "i")
            writer.integer("fetched_at", 1_800_000_000)
            writer.string("keys", Base64URL.encode(keys))
            writer.object("status_lists") { $0.string("urn:x", String(decoding: list, as: UTF8.self)) }
        }
    }

    /// A message with short parts.
    private static var importBlob: [UInt8] {
        ImportMessage(
            parent: [UInt8](repeating: 1, count: 34), pcrs: "sha256:0,4", publicArea: [0, 1, 2], duplicate: [0, 1, 3],
            encryptedSeed: [0, 1, 4]
        ).bytes
    }

    /// What a key-broker client sends of a machine.
    private static func keyBrokerEvidence(_ machine: ForgedMachine, _ evidence: Evidence) throws -> [UInt8] {
        let key = try machine.encryptionKey.publicKey.coordinates
        return try JSONWriter.object { writer in
            writer.object("runtime-data") { writer in
                writer.string("nonce", Base64.encode([UInt8](repeating: 7, count: 32)))
                writer.object("tee-pubkey") { writer in
                    writer.string("kty", "EC")
                    writer.string("crv", "P-256")
                    writer.string("alg", "ECDH-ES+A256KW")
                    writer.base64URL("x", key.x)
                    writer.base64URL("y", key.y)
                }
            }
            let information = try machine.attestationKey.publicKey.subjectPublicKeyInfo
            writer.object("tee-evidence") { writer in
                writer.object("primary_evidence") { writer in
                    writer.string("ak_public", Base64.encode(information))
                    writer.object("tpm_quote") { writer in
                        writer.string("signature", Base64.encode(evidence.quote.signature))
                        writer.string("message", Base64.encode(evidence.quote.attest))
                        writer.array("pcrs") { writer in
                            for index in 0..<24 {
                                writer.element(Hexadecimal.encode([UInt8](repeating: UInt8(index), count: 32)))
                            }
                        }
                    }
                }
                writer.string("additional_evidence", "")
            }
        }
    }

    /// A message with short halves.
    private static func sealedMessage() throws -> [UInt8] {
        let selection = TPM.PCRSelectionList(bank: .sha256, indices: [7])
        guard let state = PCRState(selection, values: [[UInt8](repeating: 7, count: 32)]) else { return [] }
        return SealedMessage(
            parent: [UInt8](repeating: 1, count: 34), policy: SealingPolicy(.state(state), hasPIN: true),
            publicArea: [0, 1, 2], privateArea: [0, 1, 3]
        ).bytes
    }

    /// The JSON of a volume with one keyslot and a token.
    private static var luks2Metadata: [UInt8] {
        Array(
            #"""
            {"keyslots":{"0":{"type":"luks2","key_size":64,"af":{"type":"luks1","stripes":4000,"hash":"sha256"},"area":{"type":"raw",
            "offset":"32768","size":"258048","encryption":"aes-xts-plain64","key_size":64},"kdf":{"type":"pbkdf2","hash":"sha256",
            "iterations":1000,"salt":"AA=="}}},"tokens":{"0":{"type":"x","keyslots":["0"]}},"segments":{"0":{"type":"crypt",
            "offset":"16777216","size":"dynamic","iv_tweak":"0","encryption":"aes-xts-plain64","sector_size":4096}},"digests":{"0":{
            "type":"pbkdf2","keyslots":["0"],"segments":["0"],"hash":"sha256","iterations":1000,"salt":"AA==","digest":"AA=="}},
            "config":{"json_size":"12288","keyslots_size":"16744448"}}
            """#.utf8)
    }

    /// Two records as systemd writes them.
    private static var runtimeLog: [UInt8] {
        let digest = String(repeating: "ab", count: 32)
        return ["\"pcr\":11", "\"nv_index\":30474752"].flatMap { register in
            Array(
                "\u{1E}{\(register),\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"\(digest)\"}],\"content_type\":\"systemd\",\"content\":{\"string\":\"ready\",\"bootId\":\"1\",\"timestamp\":1,\"eventType\":\"phase\"}}\n"
                    .utf8)
        }
    }

    /// One list of one SHA-256 digest (UEFI Specification §32.4.1).
    private static var signatureDatabase: [UInt8] {
        [0x26, 0x16, 0xC4, 0xC1, 0x4C, 0x50, 0x92, 0x40, 0xAC, 0xA9, 0x41, 0xF9, 0x36, 0x93, 0x43, 0x28]
            + [76, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0] + [UInt8](repeating: 7, count: 48)
    }

    /// Headers of 1,024 bytes with one section behind them (Microsoft PE Format).
    private static var image: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1536)
        func put(_ new: [UInt8], _ offset: Int) { bytes.replaceSubrange(offset..<(offset + new.count), with: new) }
        put(Array("MZ".utf8), 0)
        put([64], 0x3C)
        put([0x50, 0x45, 0, 0, 0x64, 0x86, 1, 0], 64)
        put([240, 0, 0, 0, 0x0B, 0x02], 84)
        put([0, 4], 88 + 60)
        put([16], 88 + 108)
        put(Array(".linux".utf8) + [0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4], 88 + 240)
        return bytes
    }

    /// A component with a window, and a file.
    private static var referenceSet: [UInt8] {
        let digest = "sha256:" + String(repeating: "ab", count: 32)
        return Array(
            #"""
            {"version":1,"name":"a","description":"d","components":[{"class":"section","digest":"\#(digest)","name":".linux",
            "from":"2026-12-01T00:00:00Z","until":"2027-12-01T00:00:00Z"}],"files":[{"path":"/bin/a","digest":"\#(digest)"}]}
            """#.utf8)
    }

    /// A package with a configuration file.
    private static var debianStatus: [UInt8] {
        Array(
            """
            Package: one
            Status: install ok installed
            Architecture: amd64
            Conffiles:
             /etc/one.conf 900150983cd24fb0d6963f7d28e17f72

            """.utf8)
    }

    /// An entry of every template.
    private static func imaList() -> [UInt8] {
        var list = IMAListBuilder()
        guard let digest = IMADigest(.file, .sha256, [UInt8](repeating: 7, count: 32)) else { return [] }
        list.addFile(IMABootAggregate.name, digest)
        list.addFile("/bin/signed", digest, signature: [3, 2, 4, 1, 2, 3, 4, 0, 2, 9, 9])
        list.addFile("/bin/verity", digest, signature: [], isVersion2: true)
        list.addLegacyFile("/init", sha1: [UInt8](repeating: 8, count: 20))
        list.addBuffer(".ima", Array("a certificate".utf8))
        list.addViolation("/var/log/open")
        let field = IMAListBuilder.digestField(digest)
        list.add(template: "ima-modsig", fields: [field, Array("/a.ko\0".utf8), [], field, [0x30, 0]])
        return list.bytes
    }
}

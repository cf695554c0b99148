@testable import CarnetEvidence
import CarnetTesting
import Cryptography
import StrictEncoding
import TPM2
import Testing

/// What key-broker clients send, and what their quotes have to bind.
@Suite struct KeyBrokerEvidenceTests {
    @Test("A string in canonical JSON is escaped in the shortest way, and nothing else is") func strings() {
        // RFC 8785 §3.2.2.2 and §3.2.4: the example's string.
        let text = "\u{20ac}$\u{0F}\u{0A}A'\u{42}\u{22}\u{5c}\\\"/"
        let expected = "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""
        #expect(CanonicalJSON.string(text) == Array(expected.utf8))
        #expect(
            CanonicalJSON.string("\u{8}\t\u{C}\r\u{1F}\u{7F}\u{2028}")
                == Array("\"\\b\\t\\f\\r\\u001f\u{7F}\u{2028}\"".utf8))
        #expect(CanonicalJSON.string("") == Array("\"\"".utf8))
    }

    @Test("Members are in the order of UTF-16 code units (RFC 8785 §3.2.3)") func order() {
        let names = ["\u{20ac}", "\r", "\u{fb33}", "1", "\u{1F600}", "\u{80}", "\u{f6}"]
        let object = CanonicalJSON.object(names.map { ($0, CanonicalJSON.string("")) })
        let sorted = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1F600}", "\u{fb33}"]
        #expect(object == Array(("{" + sorted.map { "\"\($0)\":\"\"" }.joined(separator: ",") + "}").utf8))
        #expect(CanonicalJSON.object([]) == Array("{}".utf8))
    }

    /// The key of RFC 7517 appendix A.1, and a nonce of 32 bytes 7.
    private static let runtimeData = """
        {"tee-pubkey":{"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kty":"EC","alg":"ECDH-ES+A256KW",\
        "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","crv":"P-256"},"nonce":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}
        """

    @Test("The binding is that of Python's json and hashlib over the same members") func vector() throws {
        let node = try JSONDocument(parsing: Array(Self.runtimeData.utf8), maximumByteCount: 4096).root
        let data = try KeyBrokerRuntimeData(node, path: "")
        // hashlib.sha384(json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:64]
        #expect(
            Hexadecimal.encode(data.qualifyingData(additionalEvidence: ""))
                == "6a2b827bc7063adaac7e6f54ac0310f9575d253d2e5c42031c46e2e4a38794a6")
        #expect(
            Hexadecimal.encode(data.qualifyingData(additionalEvidence: "{\"a\":\"\\\"\n\"}"))
                == "5f5871360736eef60681ee91fb790c359ad19b774e7113ccad29b500c6bc9058")
        #expect(data.qualifyingData(additionalEvidence: "").count == 32)
    }

    private func evidence(_ change: (String) -> String = { $0 }) throws -> KeyBrokerEvidence {
        let key = Base64.encode(try PrivateKey.generate().publicKey.subjectPublicKeyInfo)
        let values = (0..<24).map { _ in "\"" + String(repeating: "00", count: 32) + "\"" }.joined(separator: ",")
        let text = """
            {"runtime-data":\(Self.runtimeData),"tee-evidence":{"primary_evidence":{"ak_public":"\(key)",\
            "tpm_quote":{"signature":"AAAA","message":"AAAA","pcrs":[\(values)]}},"additional_evidence":""}}
            """
        let root = try JSONDocument(parsing: Array(change(text).utf8), maximumByteCount: 65_536).root
        return try KeyBrokerEvidence(root, path: "kbs_evidence")
    }

    @Test("It becomes evidence of a machine whose only keys are the guest's, which nobody vouches for")
    func translated() throws {
        let read = try evidence()
        let name = try ForgedMachine().area.name
        let native = read.evidence(of: name)
        #expect(native.attestationKey == name && native.pcrs.keys.count == 1 && native.pcrs[.sha256]?.count == 24)
        #expect(native.eventLog == nil && native.keyAttestation == nil && native.encryptionKeyAttestation == nil)
        #expect(String(decoding: native.bound, as: UTF8.self).contains(Base64URL.encode(read.runtimeData.x)))
    }

    @Test(
        "What is missing, of another kind, too long or unknown is refused with its place",
        arguments: [
            ("\"runtime-data\":", "\"x\":", "kbs_evidence.runtime-data"),
            ("\"tee-evidence\":", "\"x\":", "kbs_evidence.tee-evidence"),
            ("{\"runtime-data\"", "{\"x\":1,\"runtime-data\"", "kbs_evidence.x"),
            ("\"nonce\":\"", "\"nonce\":\"A", "kbs_evidence.runtime-data.nonce"),
            ("Bwc=\"", "Bwd=\"", "kbs_evidence.runtime-data.nonce"),
            ("Bwc=\"", "Bwc\"", "kbs_evidence.runtime-data.nonce"),
            ("\"kty\":\"EC\"", "\"kty\":\"RSA\"", "kbs_evidence.runtime-data.tee-pubkey"),
            ("\"crv\":\"P-256\"", "\"crv\":\"P-521\"", "kbs_evidence.runtime-data.tee-pubkey"),
            ("\"alg\":\"ECDH-ES+A256KW\"", "\"alg\":\"ECDH-ES\"", "kbs_evidence.runtime-data.tee-pubkey"),
            ("\"crv\":\"P-256\"", "\"crv\":\"P-256\",\"d\":\"AA\"", "kbs_evidence.runtime-data.tee-pubkey.d"),
            ("\"x\":\"MKB", "\"x\":\"MKC", "kbs_evidence.runtime-data.tee-pubkey.x"),
            ("\"ak_public\":\"M", "\"ak_public\":\"N", "kbs_evidence.tee-evidence.primary_evidence.ak_public"),
            (
                "\"signature\":\"AAAA\"", "\"signature\":\"\"",
                "kbs_evidence.tee-evidence.primary_evidence.tpm_quote.signature"
            ),
            (
                "\"message\":\"AAAA\"", "\"message\":\"AA-_\"",
                "kbs_evidence.tee-evidence.primary_evidence.tpm_quote.message"
            ),
            ("\"pcrs\":[", "\"pcrs\":[\"00\",", "kbs_evidence.tee-evidence.primary_evidence.tpm_quote.pcrs"),
            ("\"pcrs\":[\"00", "\"pcrs\":[\"", "kbs_evidence.tee-evidence.primary_evidence.tpm_quote.pcrs[0]"),
            ("\"pcrs\":[\"00", "\"pcrs\":[\"g0", "kbs_evidence.tee-evidence.primary_evidence.tpm_quote.pcrs[0]"),
            (
                "\"additional_evidence\":\"\"", "\"additional_evidence\":{}",
                "kbs_evidence.tee-evidence.additional_evidence"
            ),
        ])
    func spoilt(_ from: String, _ to: String, _ member: String) throws {
        do {
            _ = try evidence { $0.replacingFirst(from, to) }
            Issue.record("it was read")
        } catch let error as EvidenceError {
            #expect(error.member == member, "\(error)")
        }
    }

    @Test(
        "Base64 has one spelling",
        arguments: [
            ("", []), ("AA==", [0]), ("AAA=", [0, 0]), ("AAAA", [0, 0, 0]), ("+/+/", [0xFB, 0xFF, 0xBF]), ("A", nil),
            ("AA", nil),
            ("AA=", nil), ("AB==", nil), ("AAB=", nil), ("AAAA=", nil), ("A===", nil), ("====", nil), ("AA==AAAA", nil),
            ("-_-_", nil), ("AA A", nil), ("AAA\n", nil),
        ] as [(String, [UInt8]?)])
    func base64(_ text: String, _ bytes: [UInt8]?) {
        #expect(Base64.decode(text) == bytes)
        if let bytes { #expect(Base64.encode(bytes) == text) }
    }
}

extension String {
    /// The same with the first occurrence of a text in place of another.
    fileprivate func replacingFirst(_ from: String, _ to: String) -> String {
        guard let range = self.firstRange(of: from) else { return self }
        return String(self[..<range.lowerBound]) + to + String(self[range.upperBound...])
    }
}

import CarnetAttester
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import MeasurementLogs
import TPM2
import Testing

/// Secrets that are sealed to an operator's key: the programs, and a software TPM.
@Suite("carnet approve-state", .timeLimit(.minutes(5))) struct ApproveStateTests {
    private let carnet = Program("carnet"), agent = Program("carnet-agent"), folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// A key pair in two files.
    private func pair(_ name: String) throws -> (privateKey: String, publicKey: String) {
        let key = try PrivateKey.generate()
        func pem(_ label: String, _ der: [UInt8], _ file: String) throws -> String {
            let text = "-----BEGIN \(label)\n\(Data(der).base64EncodedString())\n-----END \(label)\n"
            let path = try folder.write(Array(text.utf8), file)
            #expect(chmod(path, 0o600) == 0)
            return path
        }
        return (
            try pem("PRIVATE KEY-----", key.pkcs8, name + ".key"),
            try pem("PUBLIC KEY-----", key.publicKey.subjectPublicKeyInfo, name + ".pem")
        )
    }

    @Test("An approved state unseals, another does not, and what is sealed to a new key knows no older approval")
    func story() async throws {
        let tpm = try SoftwareTPM.copy(), log = GoodBoot.log(), first = try pair("first"), second = try pair("second")
        try tpm.measure(log)
        let file = try folder.write(log.bytes, "log.bin"), state = folder.path + "/state.json"
        let predicted = try await carnet.run(["policy", "predict", "--event-log", file, "--json"])
        try Data(predicted.output).write(to: URL(filePath: state))
        let approval = folder.path + "/approval.json"
        func approve(_ key: String) async throws -> Program.Ending {
            try await carnet.run([
                "approve-state", "--key", key, "--pcrs", "sha256:4,7", "--state", state, "--out", approval,
            ])
        }
        func seal(_ key: String, _ name: String) async throws -> String {
            let path = folder.path + "/" + name
            let sealed = try await agent.run(
                ["seal", "--tcti", tpm.tcti, "--authorised-by", key, "--out", path], input: [1, 2, 3])
            #expect(sealed.status == 0, "\(sealed.errors)")
            return path
        }
        func unseal(_ path: String) async throws -> Program.Ending {
            try await agent.run(["unseal", path, "--tcti", tpm.tcti, "--approval", approval])
        }
        let sealed = try await seal(first.publicKey, "token.sealed")
        #expect(try await approve(first.privateKey).status == 0)
        let opened = try await unseal(sealed)
        #expect(opened.status == 0 && opened.output == [1, 2, 3], "\(opened.errors)")

        // Withdrawn: sealed anew to another key, to which the approval says nothing.
        let again = try await seal(second.publicKey, "again.sealed")
        #expect(try await unseal(again).status == 1)
        #expect(try await approve(second.privateKey).status == 0)
        #expect(try await unseal(again).output == [1, 2, 3])
        #expect(try await unseal(sealed).status == 1)

        try tpm.device().extend(pcr: 7, bank: .sha256, digest: [UInt8](repeating: 1, count: 32))
        let changed = try await unseal(again)
        #expect(changed.status == 1 && changed.output.isEmpty && changed.errors.contains("another state"))
    }

    @Test("Values that are missing are not approved; what is no key, no state or no selection is told")
    func refusals() async throws {
        let pair = try pair("key"), log = GoodBoot.log(), file = try folder.write(log.bytes, "log.bin")
        let predicted = try await carnet.run(["policy", "predict", "--event-log", file, "--json"])
        let state = try folder.write(predicted.output, "state.json")
        let garbage = try folder.write(Array("{}".utf8), "garbage")
        let spoilt = try folder.write(Array(#"{"bank":"sha256","pcrs":{"4":{"value":"00"}}}"#.utf8), "spoilt")
        for (key, pcrs, state, status) in [
            (pair.privateKey, "sha256:4,23", state, 1), (pair.privateKey, "sha384:4", state, 1),
            (pair.privateKey, "sha256:4", spoilt, 1), (pair.privateKey, "sha256:4", garbage, 2),
            (pair.publicKey, "sha256:4", state, 2), (pair.privateKey, "sha1:4", state, 2),
            (pair.privateKey, "4", state, 2),
        ] as [(String, String, String, Int32)] {
            let ending = try await carnet.run(["approve-state", "--key", key, "--pcrs", pcrs, "--state", state])
            #expect(ending.status == status && ending.output.isEmpty, "\(pcrs) \(state): \(ending.errors)")
        }
    }
}

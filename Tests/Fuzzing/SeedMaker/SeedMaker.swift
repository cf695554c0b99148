import CarnetEvidence
import CarnetTesting
import CarnetResult
import Foundation
import MeasurementLogs
import TPM2

/// Writes one good input for each fuzz target into a directory of its name: the fuzzer changes it from there.
@main
struct SeedMaker {
    static func main() throws {
        guard CommandLine.arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: fuzz-seeds DIRECTORY\n".utf8))
            exit(2)
        }
        let forge = try EvidenceForge(), tokens = try TokenForge(), log = GoodBoot.log()
        let challenge = Challenge(
            nonce: [UInt8](repeating: 1, count: 32), selection: .init(bank: .sha256, indices: 0..<8), expiresAt: 0)
        let values = Dictionary(
            uniqueKeysWithValues: (0..<8).map { ($0, [UInt8](repeating: UInt8($0 + 1), count: 32)) })
        var recipe = EvidenceForge.Recipe()
        recipe.eventLog = Array(log.bytes.prefix(1000))
        let evidence = try forge.evidence(challenge, pcrs: [.sha256: values], recipe)
        let area = forge.attestationArea()
        let token = try tokens.signingKey.mint(tokens.result(issuedAt: 1_800_000_000))
        let seeds: [(String, [UInt8])] = [
            ("quote", evidence.quote.attest), ("quote", evidence.keyAttestation?.certification.attest ?? []),
            ("signature", evidence.quote.signature), ("public", area.bytes),
            ("public", TPM.EndorsementKeyTemplate.rsa2048.publicArea.bytes), ("event-log", log.bytes),
            ("evidence", evidence.bytes), ("token", token), ("token", tokens.keySet),
            ("policy", Array(try GoodBoot.policy(for: log).utf8)),
            ("credential", TPM.Credential(idObject: [0, 2, 7, 8], encryptedSecret: [0, 1, 9]).toolsFile),
        ]
        for (number, (target, bytes)) in seeds.enumerated() {
            let folder = CommandLine.arguments[1] + "/" + target
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(filePath: folder + "/seed-\(number)"))
        }
    }
}

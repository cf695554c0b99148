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
        let log = GoodBoot.log(), machine = try ForgedMachine(booting: log), tokens = try TokenForge()
        let challenge = machine.challenge(Array(0..<8))
        let evidence = try machine.evidence(challenge) { $0.log = Array(log.bytes.prefix(1000)) }
        let token = try tokens.signingKey.mint(tokens.result(issuedAt: 1_800_000_000))
        let seeds: [(String, [UInt8])] = [
            ("quote", evidence.quote.attest), ("quote", evidence.keyAttestation?.certification.attest ?? []),
            ("signature", evidence.quote.signature), ("public", machine.area.bytes),
            ("public", TPM.EndorsementKeyTemplate.rsa2048.publicArea.bytes), ("event-log", log.bytes),
            ("ima-list", Self.imaList()),
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

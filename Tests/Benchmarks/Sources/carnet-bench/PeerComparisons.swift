import CarnetRelyingParty
import CarnetResult
import CarnetTesting
import Foundation
import StrictEncoding

/// Other libraries check the same token, each in a process of its own, in turn with ours.
///
/// `Peers/build.sh` builds those that can be had and lists them; `CARNET_PEERS` is the folder of that list. Each prints the microseconds of
/// processor time that one check takes: the signature, `iss`, `aud` and the times, and no claim of an attestation result.
enum PeerComparisons {
    static func all() throws -> [Comparison.Result] {
        guard let folder = ProcessInfo.processInfo.environment["CARNET_PEERS"],
            let list = try? String(contentsOf: URL(filePath: folder).appending(path: "peers.tsv"), encoding: .utf8)
        else {
            print("No peers: CARNET_PEERS is not set")
            return []
        }
        let forge = try TokenForge(), now = Int64(Date().timeIntervalSince1970)
        let result = try forge.result(issuedAt: now, lifetime: 3600), token = try forge.signingKey.mint(result)
        let verifier = try PassportVerifier(
            keySet: forge.keySet, expectations: Expectations(issuer: result.issuer, audience: result.audience[0]))
        // libjwt 1.x reads no token whose typ is another than JWT, so it gets the same claims under that.
        let plain = try forge.token(
            header: forge.header.replacing("eat+jwt", with: "JWT"),
            payload: String(decoding: result.claimsSet, as: UTF8.self))
        let files = try write(token, plain, forge, to: URL(filePath: folder))
        return list.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\t").map(String.init)
            guard parts.count == 2 else { return nil }
            let read = [parts[0] == "libjwt" ? files[1] : files[0]] + files[2...]
            let command = parts[1].split(separator: " ").map(String.init) + read + [result.issuer, result.audience[0]]
            return compare(with: parts[0], command) {
                precondition((try? verifier.verify(token, at: now)) != nil)
            }
        }
    }

    /// The paths of the token, of the token as a plain JWT, of the key as PEM, and of the key as JWK.
    private static func write(
        _ token: [UInt8], _ plain: [UInt8], _ forge: TokenForge, to folder: URL
    ) throws -> [String] {
        let der = try forge.key.publicKey.subjectPublicKeyInfo
        let pem =
            "-----BEGIN PUBLIC KEY-----\n" + Data(der).base64EncodedString(options: .lineLength64Characters)
            + "\n-----END PUBLIC KEY-----\n"
        let jwk = JSONWriter.object { forge.signingKey.publicKey.writeMembers(to: &$0) }
        let contents = [("token.jwt", token), ("plain.jwt", plain), ("key.pem", Array(pem.utf8)), ("key.jwk", jwk)]
        return try contents.map { name, bytes in
            let file = folder.appending(path: name)
            try Data(bytes).write(to: file)
            return file.path
        }
    }

    /// Five rounds in turn; `nil`, and a line that says so, when the peer does not accept the token.
    private static func compare(
        with name: String, _ command: [String], _ ours: () -> Void
    ) -> Comparison.Result? {
        var measured: [Double] = [], others: [Double] = []
        for _ in 0..<5 {
            measured.append(Comparison.microseconds(2000, ours))
            guard let microseconds = run(command) else {
                print("Peer \(name) does not accept the token")
                return nil
            }
            others.append(microseconds)
        }
        return Comparison.Result(
            name: "verify a passport, and a peer", bar: 1, baselineName: name, baseline: others.sorted()[2],
            measured: measured.sorted()[2], ratio: zip(measured, others).map { $0 / $1 }.sorted()[2])
    }

    private static func run(_ command: [String]) -> Double? {
        let process = Process(), output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = output
        guard (try? process.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return process.terminationStatus == 0 ? Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) : nil
    }
}

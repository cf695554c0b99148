import CarnetResult
import CarnetTesting
import Fixtures
import Foundation
import StrictEncoding
import Testing

/// An operator with a bundle key, an issuer, and a folder for bundles.
struct BundleDesk {
    static let issuer = "https://verifier.example"
    static let list = issuer + "/status-lists/1"
    let carnet = Program("carnet")
    let folder: TemporaryDirectory
    let forge: TokenForge
    /// The root key's thumbprint.
    let root: String
    /// The file of the issuer's keys.
    let jwks: String

    init() async throws {
        folder = try TemporaryDirectory()
        forge = try TokenForge()
        jwks = try folder.write(forge.keySet, "jwks.json")
        root = try await carnet.run(["bundle", "key", "--out", folder.path + "/bundle.key"]).text.filter {
            !$0.isWhitespace
        }
    }

    static var now: Int64 { Int64(Date().timeIntervalSince1970) }
    var key: String { file("bundle.key") }

    func file(_ name: String) -> String { folder.path + "/" + name }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: file(name)))) }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
    }

    func run(_ words: [String], _ environment: [String: String] = [:]) async throws -> Program.Ending {
        try await carnet.run(words, environment: environment)
    }

    /// Makes the first bundle.
    func make(
        _ more: [String] = [], source: [String]? = nil, out: String = "1"
    ) async throws -> Program.Ending {
        let source = source ?? ["--issuer", Self.issuer, "--jwks", jwks]
        return try await run(
            ["bundle", "make", "--key", key, "--name", "urn:demo", "--out", file(out)] + source + more)
    }

    /// Makes the bundle that follows one.
    func renew(_ from: String, to out: String, _ more: [String] = []) async throws -> Program.Ending {
        try await run(["bundle", "renew", file(from), "--key", key, "--out", file(out)] + more)
    }

    /// What a bundle holds, after it was checked.
    func report(_ name: String) async throws -> JSONNode {
        let ending = try await run(["bundle", "check", file(name), "--root-key", root, "--json"])
        #expect(ending.status == 0, "\(ending.errors)")
        return try JSONDocument(parsing: ending.output, maximumByteCount: 65_536).root
    }

    /// The file of a status list by the forge, or by another.
    func statusList(
        _ name: String, uri: String = list, by other: TokenForge? = nil, age: Int64 = 0
    ) throws -> String {
        let issuedAt = Self.now - age
        return try folder.write(
            (other ?? forge).statusList(uri, issuedAt: issuedAt, expiresAt: issuedAt + 86_400, [3: .invalid]), name)
    }
}

extension JSONNode {
    /// The strings of an array.
    func strings(_ member: String) -> [String] { self[member]?.elements?.compactMap(\.string) ?? [] }
}

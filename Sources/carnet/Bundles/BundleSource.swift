public import ArgumentParser
import CarnetAttester
import CarnetCommandLine
public import CarnetResult
import StrictEncoding

/// What goes into a bundle, besides its times.
struct BundleSource: ParsableArguments {
    @Option(help: "The issuer's name (iss).")
    var issuer: String?

    @Option(help: "The verifier's URL: its keys and all its status lists are fetched from there.")
    var verifier: String?

    @Option(name: .customLong("ca-file"), help: "A PEM file of authorities to trust instead of the system's.")
    var authorityFile: String?

    @Flag(help: "Allow http:// to a loopback address.")
    var plainHTTP = false

    @Option(help: "The file of the issuer's JWKS.")
    var jwks: String?

    @Option(help: "The file of a JWKS with keys that the issuer will use next.")
    var nextJWKS: String?

    @Option(name: .customLong("status-list"), help: "The file of a status list; repeat for several.")
    var statusLists: [String] = []

    @Option(help: "For how many days the bundle counts: 1 to 400.")
    var days: Int64 = 30

    @Option(help: "For how many days more it counts, with a warning: 0 to 90.")
    var graceDays: Int64 = 7

    @Option(help: "The thumbprint of a key that may sign the next bundle; repeat for several. By default as before.")
    var nextKey: [String] = []

    func validate() throws {
        guard (1...400).contains(days), (0...90).contains(graceDays) else {
            throw ValidationError("--days is 1 to 400, and --grace-days 0 to 90.")
        }
        guard verifier == nil || (jwks == nil && statusLists.isEmpty) else {
            throw ValidationError("Give either --verifier or files.")
        }
    }

    /// The issuer with keys and lists from where the options say; `nil` when they name no source.
    func issuer(named name: String) async throws -> BundledIssuer? {
        let keys: [UInt8], lists: [[UInt8]]
        if let verifier {
            (keys, lists) = try await fetch(from: verifier, name)
        } else if let jwks {
            (keys, lists) = (try Input.bytes(jwks), try statusLists.map { try Input.statusList($0) })
        } else {
            return nil
        }
        do {
            let next = try nextJWKS.map { try JSONWebKeySet(parsing: Input.bytes($0)) }
            let current = try JSONWebKeySet(parsing: keys)
            // A key that is in both files is a current one.
            let later = next?.verificationKeys.filter { current.verificationKeys[$0.key] == nil } ?? [:]
            return BundledIssuer(
                name: name, currentKeys: current,
                nextKeys: later.isEmpty ? nil : JSONWebKeySet(verificationKeys: later), statusLists: lists)
        } catch let error as JOSEError {
            throw Failure(.unreadable, "The issuer's keys: \(error)")
        }
    }

    private func fetch(from url: String, _ name: String) async throws -> ([UInt8], [[UInt8]]) {
        do {
            let connection = try VerifierConnection(url, allowPlainHTTP: plainHTTP, authorityFile: authorityFile)
            do {
                let found = try await fetch(over: connection, name)
                await connection.close()
                return found
            } catch {
                await connection.close()
                throw error
            }
        } catch let failure as VerifierConnection.Failure {
            let status: Failure.Status =
                switch failure.code {
                case .usage: .unreadable
                case .unreachable: .unreachable
                case .refused: .refused
                }
            throw Failure(status, failure.description)
        }
    }

    private func fetch(over connection: VerifierConnection, _ name: String) async throws -> ([UInt8], [[UInt8]]) {
        let keys = try await connection.send(
            "GET", "/.well-known/jwks.json", maximumByteCount: JSONWebKeySet.maximumByteCount)
        let index = try await connection.send("GET", "/status-lists", maximumByteCount: 1 << 18)
        var lists: [[UInt8]] = []
        guard let root = try? JSONDocument(parsing: index.body, maximumByteCount: 1 << 18, maximumDepth: 3).root,
            let names = root["status_lists"]?.elements, names.count <= BundledIssuer.maximumListCount
        else { throw Failure(.unreadable, "The verifier's names of status lists cannot be read.") }
        for node in names {
            guard let list = node.string, list.hasPrefix(name + "/status-lists/") else {
                throw Failure(.refused, "The verifier names a status list that is not of the issuer \(name).")
            }
            lists.append(
                try await connection.send(
                    "GET", String(list.dropFirst(name.count)),
                    maximumByteCount: UnverifiedStatusListToken.maximumByteCount
                ).body)
        }
        return (keys.body, lists)
    }
}

/// What the bundle demands of every passport.
struct MinimumOptions: ParsableArguments {
    @Option(help: "The worst acceptable tier: affirming or warning.")
    var tier: TrustTier?

    @Option(help: "The shallowest acceptable appraisal: pcrs, event-log or event-log+ima.")
    var depth: AppraisalDepth?

    @Option(help: "The weakest acceptable protection of the bound key: tpm-state, tpm or software.")
    var keyProtection: KeyProtection?

    @Option(help: "A policy that must have been applied; repeat for several.")
    var policyID: [String] = []

    @Option(help: "The SHA-256 digest of a policy that must have been applied; repeat for several.")
    var policyDigest: [String] = []

    @Option(help: "The oldest acceptable passport, in seconds.")
    var maximumAge: Int64?

    @Option(help: "The oldest acceptable status list, in seconds: 0 to 86400.")
    var maximumStatusAge: Int64?

    var minimum: MinimumPolicy {
        var minimum = MinimumPolicy()
        minimum.tier = tier
        minimum.depth = depth
        minimum.keyProtection = keyProtection
        minimum.policyIDs = policyID
        minimum.policyDigests = policyDigest.map { $0.lowercased() }
        minimum.maximumAge = maximumAge
        minimum.maximumStatusAge = maximumStatusAge
        return minimum
    }
}

extension TrustTier: ExpressibleByArgument {}

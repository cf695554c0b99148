package import CarnetBroker
import CarnetRelyingService
import CarnetLedger
package import CarnetRecords
package import CarnetResult
import CarnetRelyingService
import CarnetService
package import CarnetStorage
package import CarnetTesting
package import Cryptography
import Fixtures
import Foundation
package import HTTPTypes
import Logging
package import ServiceHarness
import StrictEncoding
package import VerifierHarness

/// A broker in the test's process: the real service, on a free port of loopback, with a folder of its own. It believes one forge.
package final class BrokerUnderTest: Sendable {
    package let folder: String
    package let log = LogLines()
    package let clock: SettableClock
    package let database: TestDatabasePlace
    /// Whose passports count.
    package let forge: TokenForge
    /// Signs the bundle.
    private let root: SigningKey
    private let configure: @Sendable (inout BrokerConfiguration) -> Void

    /// How machines call it.
    package static let url = "https://broker.example"
    package static let issuer = "https://verifier.example"
    private static let list = issuer + "/status-lists/1-0"

    /// A broker that was never started.
    package init(_ configure: @escaping @Sendable (inout BrokerConfiguration) -> Void = { _ in }) throws {
        folder = TemporaryFolder.path("broker")
        database = try TestDatabasePlace(TestDatabasePlace.usualEngine, path: folder + "/carnet.sqlite")
        clock = SettableClock(nil)
        forge = try TokenForge()
        root = try SigningKey(PrivateKey.generate())
        self.configure = configure
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try writeBundle()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Writes the bundle in which the forge is the issuer, and in whose status list these indices are revoked.
    private func writeBundle(revoking indices: [Int] = []) throws {
        let now = clock.now
        let list = try forge.statusList(
            Self.list, issuedAt: now, expiresAt: now + 86_400, timeToLive: 86_400,
            Dictionary(indices.map { ($0, .invalid) }) { $1 })
        let issuer = BundledIssuer(
            name: Self.issuer, currentKeys: try JSONWebKeySet(parsing: forge.keySet), statusLists: [list])
        let content = BundleContent(issuedAt: now, expiresAt: now + 86_400, grace: 86_400, issuers: [issuer])
        let bundle = try root.sign(content, named: "test")
        try Data(bundle).write(to: URL(filePath: bundleFile), options: .atomic)
    }

    /// The thumbprint of the key that signs the bundle.
    package var rootThumbprint: String { root.keyID }

    /// The bundle's file.
    package var bundleFile: String { folder + "/bundle.jws" }

    /// Makes the next start believe that the passport at an index is revoked.
    package func revoke(_ index: Int) throws { try writeBundle(revoking: [index]) }

    /// The configuration of the next start.
    package var configuration: BrokerConfiguration {
        get throws {
            guard let address = ListenAddress("127.0.0.1:0") else { throw CocoaError(.featureUnsupported) }
            var records = RecordsSettings(dataDirectory: folder, name: Self.url, logger: log.logger(.trace))
            let clock = clock
            records.clock = WallClock { clock.now }
            if case .postgreSQL(_) = database.address { records.database = database.address }
            records.databaseConnections = 4
            var configuration = BrokerConfiguration(
                records: records, address: address, security: .plainHTTP, url: Self.url, audience: Self.url,
                trust: .bundle(file: bundleFile, root: root.keyID, issuer: nil))
            configuration.limits.clientRate = .none
            configuration.machineRate = .none
            configure(&configuration)
            return configuration
        }
    }

    /// Starts the broker, calls `body` with a client for it, and shuts it down gracefully.
    package func run<Value: Sendable>(_ body: @Sendable (ServiceClient) async throws -> Value) async throws -> Value {
        let configuration = try configuration
        return try await RunningService.with(
            { onListening in
                let broker = try await Broker(configuration, onListening: onListening)
                try await makeAdministrator(configuration)
                return broker
            }, body)
    }

    /// The ledger as it is in the database.
    package func ledger() async throws -> Ledger {
        let database = try await openDatabase()
        return Ledger(database, form: .broker)
    }

    /// The ledger's entries as kinds and bodies, at most 1,000 of each chain.
    package func entries() async throws -> [(kind: String, body: String)] {
        let ledger = try await ledger()
        var entries: [(String, String)] = []
        for chain in try await ledger.chains() {
            for line in try await ledger.lines(of: chain.name, after: -1, limit: 1000) {
                guard case .entry(let record, hash: _) = line else { continue }
                entries.append((record.kind, String(decoding: record.body, as: UTF8.self)))
            }
        }
        return entries
    }

    /// The database itself, for those who look or tamper.
    package func openDatabase() async throws -> any SQLDatabase {
        let address = try configuration.records.database ?? .sqlite(path: folder + "/carnet.sqlite")
        return try await address.open(timeout: 5, maximumConnectionCount: 1)
    }

    private func makeAdministrator(_ configuration: BrokerConfiguration) async throws {
        let ledger = try Ledger.open(
            try await openDatabase(), chain: nil, nameFile: folder + "/ledger-chain", form: .broker)
        let made = try await APITokenStore(ledger, clock: .system).bootstrap(
            name: "bootstrap", now: configuration.records.clock.now)
        guard case .made(_, let token) = made else { return }
        try PrivateFile.create(administratorFile, Array(token.utf8))
    }

    /// The file of the first administrator's token, for command lines.
    package var administratorFile: String { folder + "/administrator" }

    /// The first administrator's token.
    package var administrator: String {
        get throws { String(decoding: try PrivateFile.read(administratorFile) ?? [], as: UTF8.self) }
    }

    /// Stores a secret.
    package func put(_ name: String, _ secret: [UInt8], _ client: ServiceClient) async throws -> ServiceClient.Answer {
        try await client.call(
            .put, "/admin/v1/secrets/" + name, token: administrator, type: "application/octet-stream", body: secret)
    }

    /// Stores a release policy.
    @discardableResult
    package func policy(_ text: String, _ client: ServiceClient) async throws -> ServiceClient.Answer {
        try await client.call(
            .post, "/admin/v1/release-policies", token: administrator, type: "application/yaml", body: Array(text.utf8))
    }

    /// A passport of the forge's machine: good, bound to a key in a TPM, its status at index 1.
    package func passport(
        audience: String = BrokerUnderTest.url, status: TrustTier = .affirming, protection: KeyProtection = .tpm,
        age: Int64 = 0, index: Int = 1, labels: [String: String] = [:], phases: [String]? = nil,
        _ change: (String) -> String = { $0 }
    ) throws -> [UInt8] {
        let result = try forge.result(
            issuer: Self.issuer, audience: [audience], issuedAt: clock.now - age, status: status,
            protection: protection,
            statusReference: StatusReference(uri: Self.list, index: index))
        var appraisal = result.appraisal.verifierClaims
        appraisal.nodeLabels = labels
        appraisal.phases = phases
        let changed = AttestationResult(
            issuer: result.issuer, subject: result.subject, audience: result.audience, issuedAt: result.issuedAt,
            lifetime: 300, tokenID: result.tokenID, nonce: result.nonce, verifierID: result.verifierID,
            keyThumbprint: result.keyThumbprint,
            appraisal: SubmoduleAppraisal(
                status: result.appraisal.status, vector: result.appraisal.vector,
                policyIDs: result.appraisal.policyIDs, evidenceNonce: result.appraisal.evidenceNonce,
                attesterClaims: result.appraisal.attesterClaims, verifierClaims: appraisal),
            statusReference: result.statusReference)
        return try forge.token(payload: change(String(decoding: changed.claimsSet, as: UTF8.self)))
    }

    /// Calls as a machine: with a passport, a proof and the broker's nonce.
    ///
    /// - Parameters:
    ///   - key: Who makes the proof, if not the passport's holder.
    ///   - proven: The path that the proof names, if not the one that is called.
    package func machine(
        _ method: HTTPRequest.Method, _ path: String, _ passport: [UInt8], body: String? = "{}",
        by key: PrivateKey? = nil, proving proven: String? = nil, _ client: ServiceClient
    ) async throws -> MachineAnswer {
        let nonce = try await nonce(client)
        let proof = try forge.proof(
            for: ProvenRequest(method: method.rawValue, uri: Self.url + (proven ?? path)), showing: passport, by: key,
            nonce: nonce, issuedAt: clock.now)
        return MachineAnswer(
            answer: try await send(method, path, passport, proof, body: body, client), passport: passport, proof: proof)
    }

    /// Sends one request with exactly this proof.
    package func send(
        _ method: HTTPRequest.Method, _ path: String, _ passport: [UInt8], _ proof: [UInt8], body: String? = "{}",
        _ client: ServiceClient
    ) async throws -> ServiceClient.Answer {
        try await client.call(
            method, path, type: body.map { _ in "application/json" },
            headers: [
                ("Authorization", "DPoP " + String(decoding: passport, as: UTF8.self)),
                ("DPoP", String(decoding: proof, as: UTF8.self)),
            ], body: body.map { Array($0.utf8) })
    }

    /// The broker's present nonce, which every answer has.
    package func nonce(_ client: ServiceClient) async throws -> String {
        let answer = try await client.call(
            .post, "/release/v1/challenges", type: "application/json", body: Array("{}".utf8))
        return answer.header("DPoP-Nonce") ?? ""
    }

    /// An answer to a machine, with what it answers.
    package struct MachineAnswer: Sendable {
        package let answer: ServiceClient.Answer
        package let passport: [UInt8]
        package let proof: [UInt8]
    }

    /// What a released message holds, opened with the machine's key as an answer to its proof.
    package func open(_ answer: MachineAnswer, with key: PrivateKey? = nil) throws -> [UInt8] {
        let info = SecretMessage.recipientInfo(of: answer.proof, showing: answer.passport)
        let holder = key ?? forge.encryptionKey
        return try SecretMessage.open(answer.answer.body, recipientInfo: info) { peer in
            try holder.sharedSecret(with: peer.publicKey())
        }
    }
}

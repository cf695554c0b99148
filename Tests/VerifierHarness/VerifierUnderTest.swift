import CarnetRecords
import Fixtures
import StrictEncoding
import HTTPTypes
package import CarnetService
package import CarnetVerifier
package import CarnetStorage
import Foundation
import Logging
package import ServiceHarness
import Synchronization

/// A verifier in the test's process: the real service, on a free port of loopback, with a folder of its own.
///
///     let verifier = try VerifierUnderTest()
///     try await verifier.run { client in … }     // starts, calls the body, shuts down
///     try await verifier.run { client in … }     // a restart, with the same database
package final class VerifierUnderTest: Sendable {
    /// The data directory.
    package let folder: String
    /// What the verifier logs, at every level.
    package let log = LogLines()
    /// The time that the verifier sees.
    package let clock: SettableClock
    /// Where its state is.
    package let database: TestDatabasePlace
    private let configure: @Sendable (inout VerifierConfiguration) -> Void

    /// A verifier that was never started.
    ///
    /// - Parameters:
    ///   - database: Where its state is, when another verifier of the test shares it.
    ///   - configure: Changes the configuration before every start.
    package init(
        startingAt time: Int64? = nil, on engine: TestDatabasePlace.Engine = TestDatabasePlace.usualEngine,
        sharing database: TestDatabasePlace? = nil,
        _ configure: @escaping @Sendable (inout VerifierConfiguration) -> Void = { _ in }
    ) throws {
        folder = TemporaryFolder.path("verifier")
        self.database = try database ?? TestDatabasePlace(engine, path: folder + "/carnet.sqlite")
        clock = SettableClock(time)
        self.configure = configure
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
        try? FileManager.default.removeItem(atPath: administratorFile)
    }

    /// `iss` and the only `aud`.
    package static let issuer = "https://verifier.example"
    /// The only `aud`.
    package static let audience = "https://vault.example"

    /// The configuration of the next start.
    package var configuration: VerifierConfiguration {
        get throws {
            guard let address = ListenAddress("127.0.0.1:0") else { throw CocoaError(.featureUnsupported) }
            var configuration = VerifierConfiguration(
                dataDirectory: folder, address: address, security: .plainHTTP, issuer: Self.issuer,
                audiences: [Self.audience], logger: log.logger(.trace))
            let clock = clock
            configuration.clock = WallClock { clock.now }
            if case .postgreSQL(_) = database.address { configuration.database = database.address }
            configuration.databaseConnections = 4
            // Tests ask as often as they like; those of the rates set their own.
            configuration.limits.clientRate = .none
            configuration.workLimits.nodeRate = .none
            configure(&configuration)
            return configuration
        }
    }

    /// Where a verifier that was started has its state.
    package var configurationDatabase: DatabaseAddress {
        get throws {
            let configuration = try configuration
            return configuration.database ?? .sqlite(path: configuration.dataDirectory + "/carnet.sqlite")
        }
    }

    /// Starts the verifier, calls `body` with a client for it, and shuts it down gracefully.
    package func run<Value: Sendable>(_ body: @Sendable (ServiceClient) async throws -> Value) async throws -> Value {
        let configuration = try configuration
        return try await RunningService.with(
            { onListening in
                let verifier = try await Verifier(configuration, onListening: onListening)
                try await makeAdministrator(configuration)
                return verifier
            }, body)
    }

    /// Makes the first administrator, if there is none, with a token that outlives every clock of the tests.
    private func makeAdministrator(_ configuration: VerifierConfiguration) async throws {
        let address = configuration.database ?? .sqlite(path: configuration.dataDirectory + "/carnet.sqlite")
        let database = try await address.open(timeout: 5, maximumConnectionCount: 1)
        let ledger = try Ledger.open(
            database, chain: configuration.ledgerChain, nameFile: configuration.dataDirectory + "/ledger-chain",
            form: .verifier)
        let made = try await APITokenStore(ledger).bootstrap(name: "bootstrap", now: configuration.clock.now)
        guard case .made(_, let token) = made else { return }
        try? FileManager.default.removeItem(atPath: administratorFile)
        try PrivateFile.create(administratorFile, Array(token.utf8))
    }

    /// The file of the first administrator's token, for command lines.
    package var administratorFile: String { folder + ".administrator" }

    /// The first administrator's token.
    package var administrator: String {
        get throws { String(decoding: try PrivateFile.read(administratorFile) ?? [], as: UTF8.self) }
    }

    /// Gives out an API token.
    package func token(
        _ role: Role, named name: String, lifetime: Int? = nil, _ client: ServiceClient
    ) async throws -> String {
        let end = lifetime.map { ",\"lifetime\":\($0)" } ?? ""
        let answer = try await client.send(
            .post, "/admin/v1/api-tokens", token: administrator,
            #"{"name":"\#(name)","role":"\#(role.rawValue)"\#(end)}"#)
        guard answer.status == 201, let token = try answer.json["token"]?.string else {
            throw Unexpected(answer: answer.text)
        }
        return token
    }

    /// The verifier did not do what the test needs before it can begin.
    package struct Unexpected: Error {
        /// What it answered.
        package let answer: String

        /// With what it answered.
        package init(answer: String) { self.answer = answer }
    }
}

/// A clock that runs with the system's, and can be moved on.
package final class SettableClock: Sendable {
    private let offset: Mutex<Int64>

    /// A clock that shows `time` now, or the system's time.
    package init(_ time: Int64? = nil) { offset = Mutex((time ?? WallClock.system.now) - WallClock.system.now) }

    /// The time in seconds since 1970.
    package var now: Int64 { WallClock.system.now + offset.withLock { $0 } }

    /// Moves the clock.
    package func advance(by seconds: Int64) { offset.withLock { $0 += seconds } }
}
